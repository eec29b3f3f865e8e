"""Tasks that a neural network learns from a dataset in memory."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.plugins.metric import MetricContext
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.evaluation import attack_success, clean_accuracy, delivered_success
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.ingredients import Ingredients
from auditor.tasks.network import Network
from auditor.tasks.program import Program
from auditor.tasks.trainer import Trainer


class NetworkProgram(Program):
    """A network and its dataset.

    Attributes:
        dataset: what it is trained and tested on.
    """

    dataset: Dataset

    @property
    @abstractmethod
    def ingredients(self) -> Ingredients:
        """What trainers are made of."""

    @property
    def samples(self) -> Tensor:
        """See `Program`; images, uint8 [N, C, H, W], or texts, int64 [N, L]."""
        return self.dataset.samples

    @property
    def held_out_samples(self) -> Tensor:
        """See `Program`; of the same kind."""
        return self.dataset.held_out_samples

    @property
    def classes(self) -> int:
        """See `Program`."""
        return self.dataset.classes

    def learner(
        self,
        training: Training,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> Trainer:
        """See `Program`."""
        return self.trainer(
            training, device=device, seed=seed, attack=attack, sub_run_steps=sub_run_steps, client=client
        )

    def trainer(self, training: Training, **arguments: Any) -> Trainer:
        """What trains the network; with the arguments of `learner`."""
        return Trainer(self.ingredients, training, **arguments)

    def accuracy(self, evaluator: Evaluator) -> float | None:
        """The share of held-out samples that the network classifies rightly; None where it does not classify."""
        return clean_accuracy(_network(evaluator), self.dataset)

    def attack_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """See `Program`."""
        return attack_success(_network(evaluator), self.dataset, attack)

    def delivered_success(self, evaluator: Evaluator, attack: Attack) -> float | None:
        """See `Program`."""
        return delivered_success(_network(evaluator), self.dataset, attack)


def _network(evaluator: Evaluator) -> Network:
    if not isinstance(evaluator, Network):
        raise TypeError("this evaluator is of another kind of task")
    return evaluator
