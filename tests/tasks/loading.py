"""Tasks that networks learn, and their data, as tests want them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditor.job.network_task import NetworkTask
from auditor.job.task import Task
from auditor.job.task_kinds import load_kind
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.program import load_program


def network_task(kind: str = "vision", **keys: Any) -> NetworkTask:
    """A task on images or texts."""
    task = load_kind(kind).model_validate(keys)
    assert isinstance(task, NetworkTask)
    return task


def network_program(task: Task, downloads: Path = Path()) -> NetworkProgram:
    """The program of a task on images or texts."""
    program = load_program(task, downloads)
    assert isinstance(program, NetworkProgram)
    return program


def load_dataset(task: Task, downloads: Path = Path()) -> Dataset:
    """What a task on images or texts is learned from."""
    return network_program(task, downloads).dataset
