"""What screens of a run that may go on have in common: pausing, cancelling and resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.binding import Binding

from auditor.tui.screens.base import RunScreen

if TYPE_CHECKING:
    from auditor.store.records import Action
    from auditor.tui.run_follower import Snapshot


CONTROLS = (
    Binding("p", "pause", "Pause", tooltip="Stop after the current sub-run; the run can be resumed"),
    Binding("x", "cancel", "Cancel", tooltip="Stop now; the run can be resumed"),
    Binding("r", "resume", "Resume", tooltip="Resume a run that was stopped"),
)
"""The keys of every such screen, for the place among its own where they belong."""


class ControlledRunScreen(RunScreen):
    """Shows a run and what was asked of it; every request is seen at once, and is made once."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.asked: frozenset[str] = frozenset()
        self._resuming = False
        self._status = ""

    def retitle(self) -> None:
        """Show at once that something was asked. A screen draws its title anew here."""
        self.refresh_bindings()

    def heed(self, snapshot: Snapshot) -> None:
        """Take note of how far the run is now."""
        if self.asked and not snapshot.running:
            self.asked = frozenset()
        if (status := f"{self.status_of(snapshot)} {snapshot.requests}") != self._status:
            self._status = status
            self.refresh_bindings()  # costly, and only pausing and resuming depend on it

    def status_of(self, snapshot: Snapshot) -> str:
        """How far the run is; one whose process lives and does not execute it yet is starting."""
        stopped = snapshot.status == "stopped"
        begins = self._resuming or self.auditor.is_starting(self.run_id, snapshot.state.seq)
        return "starting" if stopped and begins else snapshot.status

    def status_words(self, snapshot: Snapshot) -> str:
        """The status, and what was asked of a run that goes on."""
        status = self.status_of(snapshot)
        requests = snapshot.requests | self.asked
        if status in ("running", "starting") and requests and snapshot.state.finished is None:
            return f"{status} ({' and '.join(sorted(requests))} requested)"
        return status

    def stopped_words(self, snapshot: Snapshot) -> str:
        """Why a run stopped, or how it is resumed; empty for one that did not stop."""
        if snapshot.state.finished is not None or self.status_of(snapshot) != "stopped":
            return ""
        detached = self.auditor.detached.get(self.run_id)
        if detached is not None and detached.ended not in (None, 0):
            return "  " + " ".join(detached.last_words(2))
        return "  r resumes it" if snapshot.state.started else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Pausing needs a run that goes on, resuming one that stopped."""
        snapshot = self.snapshot
        going = snapshot is not None and snapshot.state.finished is None
        match action:
            case "pause" | "cancel":
                asked = snapshot is not None and action in (snapshot.requests | self.asked)
                return going and snapshot is not None and snapshot.running and not asked
            case "resume":
                return going and snapshot is not None and self.status_of(snapshot) == "stopped"
            case _:
                return True

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        """Ask the run to stop after the present sub-run."""
        await self._ask("pause")
        self.say("The run will pause after the current sub-run.")

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Ask the run to stop now, after asking the person."""
        from auditor.tui.screens.confirm import ConfirmScreen

        question = "Stop this run now? The work so far is kept, and the run can be resumed."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Stop the run")):
            await self._ask("cancel")

    async def _ask(self, action: Action) -> None:
        self.asked |= {action}
        self.retitle()
        try:
            await self.in_store(lambda store: store.request(self.run_id, action))
        except Exception:
            self.asked -= {action}
            self.retitle()
            raise

    @work(exit_on_error=False)
    async def action_resume(self) -> None:
        """Go on with a run that was stopped."""
        self._resuming = True
        self.retitle()
        try:
            await self.auditor.execute(self.run_id)
        finally:
            self._resuming = False
            self.retitle()
