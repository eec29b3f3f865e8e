"""A run as a file to keep: text for people, JSON for programs."""

from __future__ import annotations

import io

from rich.console import Console

from auditor.audit.record.state import AuditState
from auditor.audit.stored_job import stored_job
from auditor.job.model import Job
from auditor.report.terminal_report import evidence_report, print_picture, print_report
from auditor.store import DamagedRun, EventRecord, RunRecord

WIDTH = 110


def known_job(run: RunRecord) -> Job | None:
    """The job that was kept with a run; None where it cannot be read, as another version may have written it."""
    try:
        return stored_job(run)
    except DamagedRun:
        return None


def as_text(run: RunRecord, state: AuditState) -> str:
    """The verdicts with their evidence, without colours."""
    stream, job = io.StringIO(), known_job(run)
    console = Console(file=stream, width=WIDTH, no_color=True, force_terminal=False)
    console.print(f"run {run.id}, started {run.created}, from {run.source}", markup=False, highlight=False)
    if state.finished is not None:
        print_report(console, state, job, evidence=True)
    else:
        console.print("without a verdict yet", highlight=False)
        console.print(evidence_report(state))
        print_picture(console, state, job)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def as_json_lines(records: list[EventRecord]) -> str:
    """All events, one JSON object a line, as `auditor show --json` writes them."""
    return "".join(event.json_line + "\n" for event in records)
