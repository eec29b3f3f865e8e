"""Combinations of keys that make no evolving job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from auditor.job.dataset_slice import TRAIN
from auditor.job.evolution import Evolution, update_job
from auditor.job.impossibilities import impossibilities
from auditor.job.network_task import NetworkTask
from auditor.job.task import Task

if TYPE_CHECKING:
    from auditor.job.model import Job

OWN_KEYS = {"stream": None, "slice": TRAIN, "drift": None, "like": None}
"""Keys of a task that evolution sets for each update, with the values that they have if a job gives none."""


def impossible_updates(job: Job) -> list[tuple[str, str]]:
    """What is wrong with the updates of a job whose keys are possible otherwise: (key, message)."""
    evolution = job.evolution
    if evolution is None:
        return [
            (
                f"providers.{number}.attack.updates",
                "goes with [evolution]; remove it, or add that table.",
            )
            for number, provider in enumerate(job.providers)
            if provider.attack is not None and provider.attack.updates is not None
        ]
    return _of_task(job) or [
        *_of_hand_over(job),
        *_of_datasets(job.task, evolution),
        *_of_attacks(job, evolution),
        *_of_an_update(job, evolution),
    ]


def _of_task(job: Job) -> list[tuple[str, str]]:
    if not isinstance(job.task, NetworkTask):
        return [
            (
                "evolution",
                f"a {job.task.kind} task cannot evolve, because it has no key stream; remove this table.",
            )
        ]
    return [
        (f"task.{key}", "is what [evolution] sets for each update; remove this key.")
        for key, default in OWN_KEYS.items()
        if getattr(job.task, key) != default
    ]


def _of_hand_over(job: Job) -> list[tuple[str, str]]:
    if not job.audit.hand_over:
        return []
    return [
        (
            "audit.hand_over",
            "does not go with [evolution], which ends with an update that is flagged; remove this key, and see "
            "`auditor cure` for what to do then.",
        )
    ]


def _of_datasets(task: Task, evolution: Evolution) -> list[tuple[str, str]]:
    """The datasets of updates that the task cannot have."""
    found = []
    for number, name in enumerate(evolution.datasets or ()):
        try:
            if isinstance(task, NetworkTask):
                task.on(name)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            key = wrong.get("ctx", {}).get("key") or ".".join(map(str, wrong["loc"]))
            words = wrong["msg"] if key == "dataset" else f"does not fit task.{key}, which {wrong['msg']}"
            found.append((f"evolution.datasets.{number}", words))
    return found


def _of_attacks(job: Job, evolution: Evolution) -> list[tuple[str, str]]:
    return [
        (
            f"providers.{number}.attack.updates",
            f"there is no update {max(provider.attack.updates)}; give numbers from 0 to {evolution.updates}.",
        )
        for number, provider in enumerate(job.providers)
        if provider.attack is not None
        and provider.attack.updates is not None
        and max(provider.attack.updates) > evolution.updates
    ]


def _of_an_update(job: Job, evolution: Evolution) -> list[tuple[str, str]]:
    """What is wrong with the job of an update, as far as its number of steps is known without its data."""
    if evolution.steps(job, None) is None:
        return []
    found = []
    for key, message in impossibilities(update_job(job, 1)):
        table, _, name = key.partition(".")
        own = getattr(evolution, table, None)
        place = f"evolution.{key}" if getattr(own, name, None) is not None else key
        found.append((place, f"in an update, {message}"))
    return found
