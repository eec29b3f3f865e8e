"""What a model can do on held-out samples: its accuracy, and what the attacks of its job achieve on it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from auditor.audit.job_plugins import load_attacks
from auditor.audit.record.update_events import AttackSuccess
from auditor.audit.side_thread import OutOfTime, call_within
from auditor.base.hostile_text import cleaned
from auditor.job.model import Job
from auditor.plugins.attack import Attack
from auditor.plugins.catalogue import Catalogue, Origin, PluginError
from auditor.plugins.guard import GuardedAttack
from auditor.tasks.initial_state import initial_state
from auditor.tasks.learner import Learner
from auditor.tasks.program import load_program


class ModelQuality:
    """Measures models of one job.

    Args:
        job: says what the models are, and on which data they are measured.
        downloads: the folder for datasets.

    Raises:
        TrainingError: the data or the model cannot be had.
    """

    def __init__(self, job: Job, downloads: Path) -> None:
        self._job = job
        self._program = load_program(job.task, downloads, Catalogue(job.plugins))
        self._learner: Learner | None = None

    def accuracy(self, checkpoint: Path) -> float | None:
        """The accuracy of a model; None where the kind of task has none.

        Raises:
            TrainingError: the file cannot be read, or is of another model.
        """
        if self._learner is None:
            self._learner = self._new(checkpoint)
        self._load(self._learner, checkpoint)
        return self._program.accuracy(self._learner.evaluator)

    def attacks(self, checkpoint: Path, attackers: Job, acted: frozenset[str] = frozenset()) -> Iterator[AttackSuccess]:
        """What each attack of a job achieves on a model.

        Args:
            checkpoint: the model.
            attackers: the job whose attacks are measured.
            acted: the providers whose attack acted on the model, as far as that is told.

        Raises:
            PluginError: an attack cannot be had.
            TrainingError: the file cannot be read, or is of another model.
        """
        for provider, (origin, attack) in load_attacks(attackers).items():
            success, delivered, failure = None, None, None
            measured = partial(self._success, checkpoint, origin, attack)
            try:
                success, delivered = call_within(self._job.audit.metric_seconds, measured)
            except (PluginError, OutOfTime) as error:
                failure = cleaned(error)
            yield AttackSuccess(provider, cleaned(origin.name, 64), provider in acted, success, failure, delivered)

    def _success(self, checkpoint: Path, origin: Origin, attack: Attack) -> tuple[float | None, float | None]:
        """Of what is served, and of the model itself where that is something else."""
        learner = self._new(checkpoint, GuardedAttack(attack, origin))
        self._load(learner, checkpoint)
        program, evaluator = self._program, learner.evaluator
        return program.attack_success(evaluator, learner.attack), program.delivered_success(evaluator, learner.attack)

    def _new(self, checkpoint: Path, attack: Attack | None = None) -> Learner:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return self._program.shaped_as(checkpoint).learner(
            self._job.training, device=device, seed=0, attack=attack, sub_run_steps=self._job.audit.sub_run_steps
        )

    def _load(self, learner: Learner, checkpoint: Path) -> None:
        learner.evaluator.load(initial_state(checkpoint, learner, source=""))
