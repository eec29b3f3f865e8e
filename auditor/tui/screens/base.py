"""What all screens have in common, and what those of a run add."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from textual import work
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from auditor.base.hostile_text import cleaned
from auditor.store import DamagedRun, Store, StoreError, UnknownRun
from auditor.tui.safe_text import safe_text
from auditor.tui.store_app import StoreWidget
from auditor.tui.widgets.panes import Panes

if TYPE_CHECKING:
    from auditor.tui.run_follower import Snapshot

POLL_SECONDS = 0.2
Result = TypeVar("Result")


class AuditorScreen(Screen[Any], StoreWidget):
    """A screen that survives any error of its workers, and shows it."""

    AUTO_FOCUS = ""  # each screen says itself where one begins

    @property
    def unsaved(self) -> str | None:
        """What would be lost by leaving, as a question; None if nothing. Screens that keep something override it."""
        return None

    async def in_store(self, call: Callable[[Store], Result]) -> Result:
        """Ask the store something in a thread, because another process may hold it."""
        return await self.auditor.in_store(call)


class RunScreen(AuditorScreen):
    """A screen that shows one run under a title, in panes, and keeps up with it."""

    class Advanced(Message):
        """Something is new about the run."""

        def __init__(self, snapshot: Snapshot) -> None:
            super().__init__()
            self.snapshot = snapshot

    class Gone(Message):
        """The run was deleted, or there never was one."""

    class Unreadable(Message):
        """The store cannot be read just now."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run_id = run
        self.snapshot: Snapshot | None = None
        self._leaving = threading.Event()

    def on_mount(self) -> None:
        """Begin to follow."""
        self._follow()

    def on_unmount(self) -> None:
        """Stop following."""
        self._leaving.set()

    @work(thread=True, exclusive=True, group="follow", exit_on_error=False)
    def _follow(self) -> None:
        from auditor.tui.run_follower import Follower

        worker = get_current_worker()
        with Store(self.auditor.folder) as store:
            try:
                follower = Follower(store, store.find_run(self.run_id))
            except UnknownRun:
                self.post_message(self.Gone())
                return
            except DamagedRun as error:
                self.post_message(self.Unreadable(cleaned(error)))
                return
            while not (worker.is_cancelled or self._leaving.is_set()):
                try:
                    snapshot = follower.poll()
                except LookupError:
                    self.post_message(self.Gone())
                    return
                except DamagedRun as error:
                    self.post_message(self.Unreadable(cleaned(error)))
                    return
                except (StoreError, sqlite3.Error) as error:
                    self.post_message(self.Unreadable(cleaned(error)))
                else:
                    if snapshot is not None:
                        self.post_message(self.Advanced(snapshot))
                self._leaving.wait(POLL_SECONDS)

    def on_run_screen_advanced(self, message: Advanced) -> None:
        """Keep and show the latest."""
        first, self.snapshot = self.snapshot is None, message.snapshot
        self.query("#lost").remove()
        self.query_one(Panes).display = True
        self._call_attention(message.snapshot, quietly=first)
        self.show(message.snapshot)

    def _call_attention(self, snapshot: Snapshot, *, quietly: bool) -> None:
        """At the first flag, and at the end."""
        state = snapshot.state
        flagged = [name for name in snapshot.names if state.provider(name).misbehaviour]
        flagged += [
            one.provider for sub_run in state.sub_runs.values() for one in sub_run.judgements or () if one.deviates
        ]
        run = snapshot.run.id
        if flagged:
            self.auditor.call_attention(run, "flag", f"{flagged[0]} deviates in {run}", quietly=quietly)
        if state.finished is not None:
            self.auditor.call_attention(run, "end", f"{state.finished.outcome}: {run}", quietly=quietly)

    def on_run_screen_gone(self) -> None:
        """Say that the run is gone; what is on the screen stays to be read and saved."""
        detached = self.auditor.detached.get(self.run_id)
        if detached is not None and detached.ended is None:
            # It forgot the run and is about to end; what it says last is worth waiting for.
            self.set_timer(POLL_SECONDS, self.on_run_screen_gone)
            return
        words = detached.last_words(3) if detached is not None and detached.ended is not None else []
        self.lost(" ".join(words) or f"The run {self.run_id} was deleted.")

    def on_run_screen_unreadable(self, message: Unreadable) -> None:
        """Say so; the next look may succeed."""
        self.lost(f"The store cannot be read: {message.reason}")

    def show(self, snapshot: Snapshot) -> None:
        """Show the run as it is now."""
        raise NotImplementedError

    def lost(self, reason: str) -> None:
        """Say in the title that nothing more comes; before anything came, in place of the panes as well."""
        self.query_one("#title", Static).update(safe_text(f" {reason}", style="bold"))
        if self.snapshot is None and not self.query("#lost"):
            self.query_one(Panes).display = False
            self.mount(Static(safe_text(reason), id="lost", markup=False), after="#title")

    def action_pane(self, index: int) -> None:
        """Go to a pane."""
        self.query_one(Panes).go_to(index)
