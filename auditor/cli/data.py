"""`auditor data`: what a job's data holds, what is left out of it, and what is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.job_argument import JobArgument, job_path, load_resolved
from auditor.cli.narration import output, user_errors

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.tasks.inventory import Inventory

MOST_CLASSES = 40
"""More classes are shown with --json alone."""


def data(
    job: JobArgument, json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False
) -> None:
    """Read the data of a job and say what it holds: samples, classes, what is left out and what is converted.

    Nothing is trained and no run is created. Exit code 2 means that the data
    cannot be used.
    """
    from auditor.store import Store

    with user_errors():
        loaded = load_resolved(job_path(job), ())

        from auditor.plugins.catalogue import Catalogue
        from auditor.tasks.program import load_program
        from auditor.tasks.update_programs import update_programs

        with Store() as store:
            inventory = load_program(loaded.task, store.downloads, Catalogue(loaded.plugins)).inventory
            updates = [
                (update, task.dataset_name, program.inventory)
                for update, task, program in update_programs(loaded, store.downloads)
            ]
    if json:
        import json as encoder

        of_updates = [{"update": update, "dataset": name, **asdict(read)} for update, name, read in updates]
        output(encoder.dumps(asdict(inventory) | {"updates": of_updates}, ensure_ascii=False))
    else:
        _print(loaded, inventory)
        _print_updates(updates)


def _print(job: Job, inventory: Inventory) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.base.hostile_text import cleaned
    from auditor.report.data_text import data_sentence, remark_sentences

    console = Console()
    console.print(Text(f"{cleaned(job.task.title)}: {data_sentence(inventory)}"))
    if inventory.classes:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("class", justify="right")
        table.add_column("name", overflow="fold")
        table.add_column("training", justify="right")
        table.add_column("held out", justify="right")
        for number, known in enumerate(inventory.classes[:MOST_CLASSES]):
            table.add_row(str(number), Text(cleaned(known.name, 60)), f"{known.training:,}", f"{known.held_out:,}")
        console.print(table)
        if (more := len(inventory.classes) - MOST_CLASSES) > 0:
            console.print(Text(f"and {more:,} more classes; --json has all of them"))
    for words in remark_sentences(inventory):
        console.print(Text(f"- {cleaned(words)}"), soft_wrap=True)


def _print_updates(updates: Sequence[tuple[int, str, Inventory]]) -> None:
    from rich.console import Console
    from rich.text import Text

    from auditor.base.hostile_text import cleaned
    from auditor.report.data_text import data_sentence, remark_sentences

    console = Console()
    for update, name, inventory in updates:
        console.print(Text(f"update {update}, {cleaned(name)}: {data_sentence(inventory)}"), soft_wrap=True)
        for words in remark_sentences(inventory):
            console.print(Text(f"- {cleaned(words)}"), soft_wrap=True)
