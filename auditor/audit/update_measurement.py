"""What the model of an update can do: its accuracy on drifted samples, and what the job's attacks achieve on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from auditor.audit.job_plugins import load_attacks
from auditor.audit.record.update_events import AttackSuccess, UpdateMeasured
from auditor.audit.side_thread import OutOfTime, call_within
from auditor.base.hostile_text import cleaned
from auditor.job.model import Job
from auditor.plugins.attack import Attack
from auditor.plugins.catalogue import Origin, PluginError
from auditor.plugins.guard import GuardedAttack
from auditor.tasks.checkpoint import read
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program


@dataclass(frozen=True)
class MeasuredModels:
    """What is measured of an update.

    Attributes:
        update: its number.
        delivered: the checkpoint that it delivered.
        first: the one that update 0 delivered.
    """

    update: int
    delivered: Path
    first: Path


def measure_update(chain: Job, job: Job, models: MeasuredModels, downloads: Path) -> UpdateMeasured:
    """Measure the model of an update on held-out samples that have drifted as its data has.

    Args:
        chain: the evolving job, whose attacks are all measured, whether or not they acted in this update.
        job: that of the update.
        models: whose.
        downloads: the folder for datasets.

    Raises:
        TrainingError: the data or the model cannot be had.
        CheckpointError: a checkpoint is not one of the job.
    """
    program = load_program(job.task, downloads)
    learner = _learner(program, job)
    unchanged = _accuracy(program, learner, models.first)
    accuracy = unchanged if models.first == models.delivered else _accuracy(program, learner, models.delivered)
    acted = {provider.name for provider in job.providers if provider.attack is not None}
    attacks = tuple(
        _success(program, job, models.delivered, provider, found, provider in acted)
        for provider, found in load_attacks(chain).items()
    )
    return UpdateMeasured(models.update, accuracy, unchanged, attacks)


def _learner(program: Program, job: Job, attack: Attack | None = None) -> Learner:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return program.learner(job.training, device=device, seed=0, attack=attack, sub_run_steps=job.audit.sub_run_steps)


def _accuracy(program: Program, learner: Learner, checkpoint: Path) -> float | None:
    learner.evaluator.load(read(checkpoint, learner.schema))
    return program.accuracy(learner.evaluator)


def _success(
    program: Program, job: Job, checkpoint: Path, provider: str, found: tuple[Origin, Attack], acted: bool
) -> AttackSuccess:
    origin, attack = found
    success, failure = None, None
    try:
        success = call_within(job.audit.metric_seconds, partial(_measured, program, job, checkpoint, origin, attack))
    except (PluginError, OutOfTime) as error:
        failure = cleaned(error)
    return AttackSuccess(provider, cleaned(origin.name, 64), acted, success, failure)


def _measured(program: Program, job: Job, checkpoint: Path, origin: Origin, attack: Attack) -> float | None:
    learner = _learner(program, job, GuardedAttack(attack, origin))
    learner.evaluator.load(read(checkpoint, learner.schema))
    return program.attack_success(learner.evaluator, learner.attack)
