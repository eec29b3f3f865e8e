"""`auditor bench`: measure what an audit would catch before paying for it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.base.cores import usable_cores
from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import job_path
from auditor.cli.narration import fail, output, say, user_errors

if TYPE_CHECKING:
    from auditor.experiments.bench import Bench
    from auditor.experiments.findings import Result


def bench(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A benchmark file, a job file, or sample:NAME for a bundled one.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line instead of a table.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that train and compare. Default: one per core.")
    ] = None,
    device: Annotated[str, typer.Option(help="Device to train on: cpu or cuda:N.")] = "cpu",
    folder: Annotated[
        Path | None, typer.Option(help="Folder for results. Default: a folder under AUDITOR_HOME.")
    ] = None,
) -> None:
    """Measure what an audit would catch, and how often it would flag a benign provider.

    The benchmark trains the models of benign and malicious providers once.
    It draws many committees from them and judges every member.
    If it is interrupted, start it again and it resumes where it stopped.
    """
    from auditor.cli.display.work import shown
    from auditor.store.home import home
    from auditor.store.private_files import make_folder

    with user_errors():
        from auditor.experiments.bench import Bench
        from auditor.experiments.specification import load_benchmark
        from auditor.tasks.errors import TrainingError

        benchmark, job = load_benchmark(job_path(file))
        where = folder or home() / "bench" / benchmark.name
        try:
            made = Bench(benchmark, job, where, home() / "datasets", device=device, workers=workers or usable_cores())
        except TrainingError as error:
            fail(error, ExitCode.USAGE)
    make_folder(where)
    try:
        results = shown(made.run())
    except KeyboardInterrupt:
        say(f"\ninterrupted; the work so far is in {where}. Run the same command again to resume")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:  # what a plugin or a full disk raised in a worker
        fail(f"{type(error).__name__}: {error}. The work so far is in {where}.", ExitCode.FAILED)
    _tell(made, results, where, json=json)


def _tell(made: Bench, results: list[Result], where: Path, *, json: bool) -> None:
    import json as encoder

    from auditor.experiments.results import rows
    from auditor.report.bench import summary_table
    from auditor.report.bench_page import write_page

    lines = [encoder.dumps(row, ensure_ascii=False, default=str) for row in rows(made, results)]
    (where / "results.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = write_page(made, results, where / "results.html", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    if json:
        output("\n".join(lines))
    else:
        from rich.console import Console

        Console().print(summary_table(results))
    say(f"results: {where / 'results.jsonl'}\npage: {page}")
