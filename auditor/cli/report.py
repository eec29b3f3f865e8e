"""`auditor report`: one run as a file for somebody else."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from auditor.base.atomic_file import write_user_file
from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say, user_errors
from auditor.cli.run_argument import RunArgument


class ReportFormat(StrEnum):
    """What a report can be written as."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def report(
    run: RunArgument,
    format: Annotated[  # noqa: A002 - the option's name
        ReportFormat, typer.Option(help="Text for a terminal, Markdown for a reader, JSON for a program.")
    ] = ReportFormat.TEXT,
    out: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
) -> None:
    """Report on a run for somebody who has nothing else: what was asked, the verdicts, the evidence, the limits."""
    from auditor.audit.record.fold import fold
    from auditor.audit.stored_job import stored_job
    from auditor.store import Store

    with user_errors(), Store() as store:
        record = store.find_run(run)
        state, job = fold(store.events(record.id)), stored_job(record)
        running = store.is_running(record.id)
    if format is ReportFormat.TEXT:
        from auditor.report.run_file import as_text

        text = as_text(record, state)
    else:
        from auditor.report.document import document

        made = document(record, job, state, running=running)
        if format is ReportFormat.JSON:
            import json

            text = json.dumps(made, ensure_ascii=False, indent=1) + "\n"
        else:
            from auditor.report.markdown import as_markdown

            text = as_markdown(made)
    if out is None:
        output(text.removesuffix("\n"))
        return
    try:
        write_user_file(out, text)
    except OSError as error:
        fail(f"--output {out}: cannot be written: {error.strerror or error}.", ExitCode.FAILED)
    say(f"The report is in {out}")
