"""A first look at the data of a job, before PyTorch is imported and anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module

from auditor.job.errors import readable
from auditor.job.evolution import own_tasks
from auditor.job.model import Job
from auditor.job.task import Task
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Inventory


@dataclass(frozen=True)
class FirstLook:
    """What a quick look at the data of a task came to.

    Attributes:
        inventory: what it shows; None where no quick look is possible, or the data cannot be used.
        problem: why the data cannot be used; None where nothing speaks against it.
        dataset: what the job calls the data of an update, without folders of this machine; None for that of the job.
    """

    inventory: Inventory | None = None
    problem: str | None = None
    dataset: str | None = None


def first_look(task: Task) -> FirstLook:
    """Take a quick look at the data of a task, whatever is wrong with it."""
    try:
        return FirstLook(inventory=survey(task))
    except TrainingError as error:
        return FirstLook(problem=f"the data cannot be used: {error}")


def first_looks(job: Job) -> tuple[FirstLook, ...]:
    """A quick look at the data of a job; of one whose updates have datasets of their own, at each of them after it."""
    return (first_look(job.task), *(replace(first_look(task), dataset=task.dataset_name) for task in own_tasks(job)))


def survey(task: Task) -> Inventory | None:
    """What a quick look at the data shows; None where a kind of task, or the form of the data, allows none.

    Raises:
        TrainingError: the data is not there, or not what it should be; says what to do.
    """
    module, _, name = type(task).survey.partition(":")
    if not module:
        return None
    try:
        found: Inventory | None = getattr(import_module(module), name)(task)
    except TrainingError as error:
        raise TrainingError(readable(str(error))) from None
    except Exception as error:  # another package may raise anything, and a file system does
        raise TrainingError(readable(f"the data cannot be looked at: {type(error).__name__}: {error}")) from None
    return found
