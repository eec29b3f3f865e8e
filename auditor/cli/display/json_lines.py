"""One JSON object a line, for programs."""

from __future__ import annotations

from auditor.audit.record.journal import Entry
from auditor.audit.record.state import AuditState
from auditor.cli.display.base import Display
from auditor.cli.narration import output
from auditor.job import Job
from auditor.store import EventRecord


class JsonLines(Display):
    """Writes each event to stdout with `event`, `run`, `seq` and `time`; the last one's `event` is `verdict`."""

    def __init__(self) -> None:
        self._written: tuple[str, int] | None = None

    def show(self, entry: Entry) -> None:
        """Write one line."""
        self._write(entry.record)

    def conclude(self, state: AuditState, job: Job, last: EventRecord) -> None:
        """Write the verdict, unless it was written already because this process reached it."""
        if (last.run, last.seq) != self._written:
            self._write(last)

    def _write(self, record: EventRecord) -> None:
        output(record.json_line)
        self._written = (record.run, record.seq)
