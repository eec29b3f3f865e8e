"""`auditor show`: one run with its evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor.cli.narration import output, say, user_errors
from auditor.cli.run_argument import RunArgument


def show(
    run: RunArgument,
    json: Annotated[bool, typer.Option("--json", help="Write all events, one JSON object per line.")] = False,
) -> None:
    """Show a run: its verdicts and the evidence from every replicated sub-run."""
    from auditor.store import Store

    with user_errors(), Store() as store:
        record = store.find_run(run)
        records = store.events(record.id)
        running = store.is_running(record.id)
    if json:
        for event in records:
            output(event.json_line)
        return
    from rich.console import Console

    from auditor.audit.record.fold import fold
    from auditor.report.run_file import known_job
    from auditor.report.terminal_report import evidence_report, print_picture, print_report

    with user_errors():
        state, job, console = fold(records), known_job(record), Console()
    console.print(f"run {record.id}, started {record.created}, from {record.source}", markup=False, highlight=False)
    if state.finished is not None:
        print_report(console, state, job, evidence=True)
        return
    step = state.step
    total = f" of {state.started.steps:,}" if state.started else ""
    console.print(f"{'running' if running else 'stopped'} at step {step:,}{total}", highlight=False)
    console.print(evidence_report(state))
    print_picture(console, state, job)
    if not running:
        say(f"resume with: auditor resume {record.id}")
