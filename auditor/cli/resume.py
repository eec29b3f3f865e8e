"""`auditor resume`: continue an audit that was stopped."""

from __future__ import annotations

import typer

from auditor.cli.narration import say, user_errors
from auditor.cli.run_argument import JsonOption, RunArgument


def resume(run: RunArgument, json: JsonOption = False) -> None:
    """Continue an audit that was interrupted or killed. If it has ended, show its verdict again."""
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
            code = execute(record, job, store, json=json)
    raise typer.Exit(code)
