"""What every display does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from rich.console import Console

from auditor.audit.record.journal import Entry
from auditor.audit.record.state import AuditState
from auditor.job import Job
from auditor.report.terminal_report import print_report
from auditor.store import EventRecord


class Display(ABC):
    """Shows the events of one run as they come, and its end."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        return

    @abstractmethod
    def show(self, entry: Entry) -> None:
        """Show one more event."""

    def conclude(self, state: AuditState, job: Job, last: EventRecord) -> None:
        """Print the verdicts on a job to stdout. `last` is the record of the final event."""
        console = Console()
        if not console.is_terminal:
            console = Console(width=100)
        print_report(console, state, job)
