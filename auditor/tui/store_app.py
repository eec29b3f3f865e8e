"""What screens ask of the application: the store, runs that it starts, and the screen of a run.

It knows no screen, so that screens can import it and the application can import the screens.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from auditor.base.hostile_text import cleaned
from auditor.store import Store

if TYPE_CHECKING:
    from auditor.audit.detached_run import DetachedRun
    from auditor.job import Job

Result = TypeVar("Result")


class StoreApp(App[None]):
    """An application on a store.

    Args:
        folder: of the store.

    Attributes:
        detached: the runs that it started, each in a separate process, by id.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.detached: dict[str, DetachedRun] = {}
        self._seq_before: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()

    def is_starting(self, run: str, seq: int) -> bool:
        """Whether a process that was started here lives and has not written an event of the run yet.

        Args:
            run: its id.
            seq: the number of its latest event.
        """
        detached = self.detached.get(run)
        return detached is not None and detached.ended is None and seq <= self._seq_before.get(run, 0)

    async def in_store(self, call: Callable[[Store], Result]) -> Result:
        """Ask the store something in a thread, because another process may hold it for a while."""

        def ask() -> Result:
            with Store(self.folder) as store:
                return call(store)

        return await asyncio.to_thread(ask)

    def call_attention(self, run: str, what: str, words: str, *, quietly: bool = False) -> None:
        """Tell somebody who looks elsewhere: the bell, a notification (OSC 9) and the terminal's title, once each.

        Args:
            run: whose news it is.
            what: which news; the same news of a run is told once.
            words: what the title and the notification say; they may be hostile.
            quietly: whether only the title changes, because the news is old.
        """
        if (run, what) in self._told or self._driver is None:
            return
        self._told.add((run, what))
        plain = cleaned(words, 120)
        self._driver.write(f"\x1b]2;auditor: {plain}\x07")
        if not quietly:
            self._driver.write(f"\x1b]9;auditor: {plain}\x07")
            self.bell()

    async def start(self, job: Job, source: str) -> str:
        """Start a run of a job in a separate process and show it; returns its id."""
        from auditor.audit.detached_run import start_run

        record, detached = await self.in_store(lambda store: start_run(store, job, source))
        self.detached[record.id] = detached
        self.open_run(record.id, evolves=record.evolves)
        return record.id

    async def execute(self, run: str) -> None:
        """Resume a stopped run in a separate process."""
        from auditor.audit.detached_run import execute_detached

        def begin(store: Store) -> tuple[int, DetachedRun]:
            return store.last_seq(run) or 0, execute_detached(store, run)

        self._seq_before[run], self.detached[run] = await self.in_store(begin)

    @abstractmethod
    def open_run(self, run: str, *, evolves: bool = False) -> None:
        """Show a run live.

        Args:
            run: its id.
            evolves: whether it has updates, each with a run of its own.
        """


class StoreWidget(Widget):
    """A screen or a part of one that belongs to a `StoreApp`. It survives what its workers raise, and shows it."""

    @property
    def auditor(self) -> StoreApp:
        """The application, by its own type."""
        app: App[Any] = self.app
        assert isinstance(app, StoreApp)
        return app

    def say(self, message: object, *, error: bool = False) -> None:
        """Tell the person something in passing."""
        self.notify(cleaned(message), severity="error" if error else "information", markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one place where what a worker raised is shown."""
        if event.state is WorkerState.ERROR:
            self.say(f"{event.worker.error or 'something failed'}", error=True)
