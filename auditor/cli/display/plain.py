"""Plain lines without colour, for logs and pipelines."""

from __future__ import annotations

from auditor.audit.events import RunResumed, RunStarted
from auditor.audit.journal import Entry
from auditor.cli.display.base import Display
from auditor.cli.narration import say
from auditor.report.sentences import sentence
from auditor.store import RunRecord


class PlainLines(Display):
    """Writes a line to stderr for each event that a reader wants to know of."""

    def __init__(self, run: RunRecord) -> None:
        self._run = run

    def show(self, entry: Entry) -> None:
        """Write one line, with the time of day."""
        if isinstance(entry.event, RunStarted | RunResumed):
            say(f"run {self._run.id}")
        words = sentence(entry.event, entry.state)
        if words is not None:
            say(f"{entry.record.time[11:19]} {words}")
        if isinstance(entry.event, RunStarted):
            for warning in entry.event.warnings:
                say(f"warning: {warning}")
