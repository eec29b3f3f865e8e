"""Tasks that a neural network learns from a dataset in memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auditor.job.network_task import FORM, NetworkTask
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.plugins.catalogue import Catalogue
from auditor.plugins.metric import MetricContext
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.drift import drifted
from auditor.tasks.data.slices import cut
from auditor.tasks.errors import TrainingError
from auditor.tasks.evaluation import attack_success, clean_accuracy, delivered_success
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.inventory import Inventory
from auditor.tasks.network import Network
from auditor.tasks.program import Program
from auditor.tasks.trainer import Trainer


class NetworkProgram(Program):
    """A network and its dataset.

    Attributes:
        task: what is trained.
        dataset: what it is trained on, after its drift; of the training samples only the slice that the task names.
    """

    task: NetworkTask

    def __init__(self, task: Task, downloads: Path) -> None:
        super().__init__(task, downloads)
        dataset = self.read_dataset(downloads)
        if self.task.like is not None and dataset.form is None:
            raise TrainingError(f"task.like: {task.kind} tasks cannot read one dataset like another; remove this key.")
        if self.task.stream is not None:
            dataset = cut(dataset, self.task.stream, self.task.slice)
        self.dataset = dataset

    def let_drift(self, plugins: Catalogue) -> None:
        """See `Program`."""
        if self.task.drift is not None:
            self.dataset = drifted(self.dataset, self.task.drift, self.task, plugins)

    @abstractmethod
    def read_dataset(self, downloads: Path) -> Dataset:
        """Read the dataset of `task`, like the dataset `task.like` where it names one.

        Args:
            downloads: the folder that torchvision keeps its datasets in.

        Raises:
            TrainingError: it is not there or not a dataset; says what to do.
        """

    @property
    def parts(self) -> Mapping[str, tuple[Tensor, ...] | bytes]:
        """See `Program`; what the tokenizer makes of sentences changes with it, so that it comes first."""
        data = self.dataset
        parts: dict[str, tuple[Tensor, ...] | bytes] = {}
        if data.tokenizer is not None:
            parts["tokenizer"] = data.tokenizer.definition.encode()
        if data.form is not None:
            parts[FORM] = data.form.encode()
        parts["training part"] = (data.samples, data.labels)
        parts["held-out part"] = (data.held_out_samples, data.held_out_labels)
        return parts

    @property
    def inventory(self) -> Inventory:
        """See `Program`."""
        return self.dataset.inventory

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

    @property
    def digest(self) -> str:
        """See `Program`."""
        return self.dataset.digest

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
        return Trainer(self.task, training, self.dataset, **arguments)

    def accuracy(self, evaluator: Evaluator) -> float:
        """The share of held-out samples that the network classifies rightly."""
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
