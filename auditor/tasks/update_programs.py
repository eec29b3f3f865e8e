"""The data of updates that have datasets of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from auditor.job.evolution import own_tasks
from auditor.job.model import Job
from auditor.job.network_task import NetworkTask
from auditor.plugins.catalogue import Catalogue
from auditor.tasks.errors import TrainingError
from auditor.tasks.program import Program, load_program


def update_programs(job: Job, downloads: Path) -> Iterator[tuple[int, NetworkTask, Program]]:
    """Read the dataset of each update of a job: its number, its task and its program.

    One after another, because not all may fit into the memory at once. Nothing where updates divide one dataset.

    Args:
        job: an evolving one, or any other.
        downloads: the folder that downloaded data is kept in.

    Raises:
        TrainingError: a dataset is not there, or is not like that of the job; names the update.
    """
    for update, task in enumerate(own_tasks(job), start=1):
        try:
            program = load_program(task, downloads, Catalogue(job.plugins))
        except TrainingError as error:
            raise TrainingError(f"evolution.datasets, update {update}: {error}") from None
        yield update, task, program
        del program
