"""Plain lines without colour, for logs and pipelines."""

from __future__ import annotations

from auditor.audit.record.events import Committed, RunResumed, RunStarted
from auditor.audit.record.journal import Entry
from auditor.cli.display.base import Display
from auditor.cli.narration import say
from auditor.report.sentences import sentence

COMMITMENTS = 25


class PlainLines(Display):
    """Writes a line to stderr for each event that matters to a reader.

    It shows at most `COMMITMENTS` commitments, because a run of short sub-runs has thousands.
    """

    def __init__(self) -> None:
        self._milestone = 0

    def show(self, entry: Entry) -> None:
        """Write one line, with the time of day."""
        if isinstance(entry.event, RunStarted | RunResumed):
            say(f"run {entry.record.run}")
            self._milestone = 0
        if isinstance(entry.event, Committed) and not self._is_shown(entry.event, entry):
            return
        words = sentence(entry.event, entry.state)
        if words is not None:
            say(f"{entry.record.time[11:19]} {words}")
        if isinstance(entry.event, RunStarted):
            for warning in entry.event.warnings:
                say(f"warning: {warning}")

    def _is_shown(self, event: Committed, entry: Entry) -> bool:
        started = entry.state.started
        passed = COMMITMENTS if started is None else event.step * COMMITMENTS // started.steps
        if passed == self._milestone:
            return False
        self._milestone = passed
        return True
