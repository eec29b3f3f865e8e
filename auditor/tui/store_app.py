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
from textual.dom import DOMNode

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

    async def in_store(self, call: Callable[[Store], Result]) -> Result:
        """Ask the store something in a thread, because another process may hold it for a while."""

        def ask() -> Result:
            with Store(self.folder) as store:
                return call(store)

        return await asyncio.to_thread(ask)

    async def start(self, job: Job, source: str) -> str:
        """Start a run of a job in a separate process and show it; returns its id."""
        from auditor.audit.detached_run import start_run

        record, detached = await self.in_store(lambda store: start_run(store, job, source))
        self.detached[record.id] = detached
        self.open_run(record.id)
        return record.id

    async def execute(self, run: str) -> None:
        """Resume a stopped run in a separate process."""
        from auditor.audit.detached_run import execute_detached

        self.detached[run] = await self.in_store(lambda store: execute_detached(store, run))

    @abstractmethod
    def open_run(self, run: str) -> None:
        """Show a run live."""


def store_app(node: DOMNode) -> StoreApp:
    """The application that a screen or a widget belongs to, by its own type."""
    app: App[Any] = node.app
    assert isinstance(app, StoreApp)
    return app
