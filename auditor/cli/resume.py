"""`auditor resume`: continue an audit that was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, say, user_errors
from auditor.cli.run_argument import JsonOption, RunArgument

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.store import RunRecord, Store


def resume(
    run: RunArgument,
    json: JsonOption = False,
    primary: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Hand the rest over to this provider, if the primary was flagged or lost."),
    ] = None,
) -> None:
    """Continue an audit that was interrupted or killed. If it has ended, show its verdict again.

    With --primary another provider trains on, from the last verified
    checkpoint, in a new run without those that were flagged.
    """
    from auditor.audit.stored_job import stored_job

    with user_errors():
        from auditor.cli.foreground_run import execute
        from auditor.store import Store

        with Store() as store:
            record = store.find_run(run)
            if record.chain is not None:
                say(f"note: {record.id} is an update of {record.chain}, which is resumed as a whole.")
                record = store.find_run(record.chain)
            job = stored_job(record)
            for file in job.plugins:
                if file.drift is not None:
                    say(f"note: {file.path} {file.drift}. The run continues with the plugin as it was at the start.")
            if primary is None:
                code = execute(record, job, store, json=json)
            else:
                code = _hand_over(record, job, store, primary, json=json)
    raise typer.Exit(code)


def _hand_over(record: RunRecord, job: Job, store: Store, primary: str, *, json: bool) -> ExitCode:
    from auditor.cli.foreground_run import hand_over, primary_fate

    if job.evolution is not None:
        fail("an evolving job is not handed over; see `auditor cure`.", ExitCode.USAGE)
    if primary_fate(record, store) is None:
        fail(
            f"{job.primary.name}, the primary of run {record.id}, is neither flagged nor lost; leave out --primary.",
            ExitCode.USAGE,
        )
    return hand_over(record, job, store, primary, json=json)
