"""What the worker processes of a study do: train first models, and update them. No two write the same file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from auditor.base.atomic_file import write_file
from auditor.experiments.evolving.settings import Lesson
from auditor.job.network_task import NetworkTask
from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.plugins.catalogue import Catalogue
from auditor.tasks.checkpoint import encode
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program

PROGRAMS = 20
"""Data that a worker keeps in memory, those of as many updates: instances of a setting use the same."""


@dataclass(frozen=True)
class Site:
    """Where the work of a study is done.

    Attributes:
        downloads: the folder for datasets.
        plugins: where attacks are found.
        device: where to compute.
    """

    downloads: Path
    plugins: Catalogue
    device: str


@dataclass(frozen=True)
class StartOrder:
    """Train a first model.

    Attributes:
        site: see `Site`.
        lesson: what it learns.
        result: where the model goes.
    """

    site: Site
    lesson: Lesson
    result: Path


@dataclass(frozen=True)
class ChainOrder:
    """Update a model again and again, and measure it each time.

    What was done is kept: `I.json` is what the model of update I can do, and the last model lies beside it. One that is
    there is not made anew.

    Attributes:
        site: see `Site`.
        start: the first model.
        lessons: the first training, and each update.
        attack: the attack whose success is measured.
        folder: where the results go.
    """

    site: Site
    start: Path
    lessons: tuple[Lesson, ...]
    attack: Mapping[str, Any]
    folder: Path

    def facts(self, update: int) -> Path:
        """What the model of an update can do."""
        return self.folder / f"{update}.json"

    def model(self, update: int) -> Path:
        """The model of an update, which is there until the next one is."""
        return self.start if update == 0 else self.folder / f"{update}.safetensors"


@dataclass(frozen=True)
class AgingOrder:
    """Measure a first model on the data of every update, none of which it is given.

    Attributes:
        site: see `Site`.
        start: the first model.
        lessons: the first training, and each update.
        result: where its accuracies go.
    """

    site: Site
    start: Path
    lessons: tuple[Lesson, ...]
    result: Path


def train_start(order: StartOrder) -> float:
    """Carry out a start order; returns the seconds that it took."""
    begun = time.monotonic()
    _one_thread()
    _write_model(order.result, _taught(order.site, order.lesson, None))
    return time.monotonic() - begun


def train_chain(order: ChainOrder) -> float:
    """Carry out a chain order from where it was left; returns the seconds that it took."""
    begun = time.monotonic()
    _one_thread()
    for update, lesson in enumerate(order.lessons):
        if order.facts(update).exists():
            continue
        if update == 0:
            learner = _learner(order.site, lesson)
            learner.load(initial_state(order.start, learner))
        else:
            learner = _taught(order.site, lesson, order.model(update - 1))
            _write_model(order.model(update), learner)
        write_file(order.facts(update), json.dumps(_facts(order, lesson, learner)).encode())
        if update > 1:
            order.model(update - 1).unlink(missing_ok=True)
    return time.monotonic() - begun


def measure_aging(order: AgingOrder) -> float:
    """Carry out an aging order; returns the seconds that it took."""
    begun = time.monotonic()
    _one_thread()
    learner = _learner(order.site, order.lessons[0])
    learner.load(initial_state(order.start, learner))
    found = [_program(order.site, lesson.task).accuracy(learner.evaluator) for lesson in order.lessons]
    write_file(order.result, json.dumps(found).encode())
    return time.monotonic() - begun


def begin_attack(site: Site, table: Mapping[str, Any], lesson: Lesson) -> Attack:
    """An attack that has seen what it acts on.

    Raises:
        Exception: whatever the attack raises where it does not fit.
    """
    attack = site.plugins.create_attack(table)
    attack.begin(_learner(site, lesson).attack_context)
    return attack


def try_model(site: Site, lesson: Lesson) -> None:
    """Execute one step of a lesson on a separate model.

    Raises:
        TrainingError: the model cannot be made, or does not fit the data; says what to change.
    """
    device = torch.device(site.device)
    try_first_step(_program(site, lesson.task), lesson.training, device=device, seed=lesson.seed, whole_batch=False)


def training_of(lesson: Lesson, samples: int) -> Training:
    """How a lesson is trained, with the steps that its epochs make of its samples: whole batches, as batches are drawn.

    Args:
        lesson: which.
        samples: that it has.
    """
    if lesson.epochs is None:
        return lesson.training
    steps = max(1, round(lesson.epochs * (samples // lesson.training.batch_size)))
    return lesson.training.model_copy(update={"steps": steps})


def _taught(site: Site, lesson: Lesson, start: Path | None) -> Learner:
    """A learner at the end of a lesson, its optimizer fresh at the beginning."""
    learner = _learner(site, lesson, attacked=True)
    if start is not None:
        learner.load(initial_state(start, learner))
    steps = training_of(lesson, len(_program(site, lesson.task).samples)).steps
    while learner.step < steps:
        learner.execute_step()
    return learner


def _learner(site: Site, lesson: Lesson, *, attacked: bool = False) -> Learner:
    program = _program(site, lesson.task)
    training = training_of(lesson, len(program.samples))
    return program.learner(
        training,
        device=torch.device(site.device),
        seed=lesson.seed,
        attack=site.plugins.create_attack(lesson.attack) if attacked and lesson.attack is not None else None,
        sub_run_steps=training.steps,
    )


def _facts(order: ChainOrder, lesson: Lesson, learner: Learner) -> dict[str, float | None]:
    program = _program(order.site, lesson.task)
    attack = order.site.plugins.create_attack(order.attack)
    attack.begin(learner.attack_context)
    return {
        "accuracy": program.accuracy(learner.evaluator),
        "success": program.attack_success(learner.evaluator, attack),
    }


def _write_model(path: Path, learner: Learner) -> None:
    write_file(path, b"".join(bytes(piece) for piece in encode(learner.checkpoint(), learner.schema)))


@lru_cache(maxsize=PROGRAMS)
def _program(site: Site, task: NetworkTask) -> Program:
    return load_program(task, site.downloads, site.plugins)


def _one_thread() -> None:
    torch.set_num_threads(1)
