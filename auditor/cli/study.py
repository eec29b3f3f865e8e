"""`auditor study`: measure how long backdoors survive in models that keep learning."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.base.cores import usable_cores
from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say, user_errors

if TYPE_CHECKING:
    from rich.table import Table

    from auditor.experiments.evolving.record import StudyRecord
    from auditor.experiments.progress import Progress

    Told = tuple[list[dict[str, Any]], Callable[[Path, str], Path], Table]


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A study file.")],
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line instead of a table.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that train. Default: one per core.")] = None,
    device: Annotated[str, typer.Option(help="Device to train on: cpu or cuda:N.")] = "cpu",
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for models and results, shared by studies. Default: a folder under AUDITOR_HOME."),
    ] = None,
) -> None:
    """Measure how long backdoors survive in models that keep learning.

    The study trains models, poisons some of their updates, and measures accuracy and attack success after each.
    A study of kind "theory" compares the bounds for strongly convex losses with what fine-tuning does.
    On a terminal, a picture shows what was measured so far; the interface shows the same under Studies.
    If it is interrupted, start it again and it resumes where it stopped.
    """
    from auditor.cli.display.work import shown
    from auditor.store.home import home
    from auditor.store.private_files import make_folder

    where = folder or home() / "studies"
    with user_errors():
        from auditor.experiments.study_kind import study_kind

        if study_kind(file) == "theory":
            name, running, record = *_theory(file), None
        else:
            name, running, record = _evolution(file, where, home() / "datasets", device, workers or usable_cores())
    own = where / name
    make_folder(own)
    try:
        found = shown(running) if record is None else _shown_with_picture(running, own, record)
    except KeyboardInterrupt:
        say(f"\ninterrupted; the work so far is in {where}. Run the same command again to resume")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:  # what a plugin or a full disk raised in a worker
        fail(f"{type(error).__name__}: {error}. The work so far is in {where}.", ExitCode.FAILED)
    _tell(found, own, json=json)


def _shown_with_picture(running: Generator[Progress, None, Told], own: Path, record: StudyRecord) -> Told:
    """Carry a study out; the interface, and this terminal, show what was measured so far."""
    from auditor.cli.display.study import StudyPicture
    from auditor.cli.display.work import shown
    from auditor.experiments.evolving.record import recording

    with recording(own, record):
        return shown(running, StudyPicture(own))


def _evolution(
    file: Path, where: Path, downloads: Path, device: str, workers: int
) -> tuple[str, Generator[Progress, None, Told], StudyRecord]:
    from auditor.experiments.evolving.results import rows
    from auditor.experiments.evolving.specification import load_study
    from auditor.experiments.evolving.study import StudyRun
    from auditor.report.study_page import write_study_page
    from auditor.report.study_table import study_table

    read = load_study(file)
    made = StudyRun(read, where, downloads, device=device, workers=workers)

    def running() -> Generator[Progress, None, Told]:
        findings = yield from made.run()
        page = lambda path, when: write_study_page(read.study, findings, path, when)  # noqa: E731
        return list(rows(read.study, findings)), page, study_table(findings)

    return read.study.name, running(), made.record()


def _theory(file: Path) -> tuple[str, Generator[Progress, None, Told]]:
    from auditor.experiments.convex.results import theory_rows
    from auditor.experiments.convex.specification import load_theory_study
    from auditor.experiments.convex.study import carry_out_theory
    from auditor.report.theory_page import theory_table, write_theory_page

    read = load_theory_study(file)

    def running() -> Generator[Progress, None, Told]:
        findings = yield from carry_out_theory(read)
        page = lambda path, when: write_theory_page(read, findings, path, when)  # noqa: E731
        return list(theory_rows(read, findings)), page, theory_table(findings)

    return read.name, running()


def _tell(found: Told, where: Path, *, json: bool) -> None:
    import json as encoder

    rows, write_page, table = found
    lines = [encoder.dumps(row, ensure_ascii=False, default=str) for row in rows]
    (where / "results.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    page = write_page(where / "results.html", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
    if json:
        output("\n".join(lines))
    else:
        from rich.console import Console

        Console().print(table)
    say(f"results: {where / 'results.jsonl'}\npage: {page}")
