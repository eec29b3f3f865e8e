"""What a trainer is made of: the network, the data, the optimizer, and how losses are computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auditor.job.network_task import NetworkTask
from auditor.job.training import Training
from auditor.tasks.data.augmentation import augment
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.descent import Descent, NamedDescent
from auditor.tasks.models import build_model
from auditor.tasks.network import Network, standardisation


class Ingredients(ABC):
    """What differs between the kinds of task that a network learns by gradient descent.

    Attributes:
        dataset: what is trained on, and what models are compared on.
        kind: of the task.
        akin: see `auditor.job.task.Task`.
        counts_evenly: see `auditor.tasks.learner.Learner`.
    """

    dataset: Dataset
    kind: str
    akin: tuple[str, ...]
    counts_evenly: bool = True

    @abstractmethod
    def network(self, device: torch.device, seed: int) -> Network:
        """A new network with the initial weights of a seed."""

    @abstractmethod
    def descent(self, model: nn.Module, training: Training) -> Descent:
        """The optimizer of a model, in its initial state, with its schedule."""

    @abstractmethod
    def augmented(self, inputs: Tensor, names: Sequence[str], draws: np.random.Generator) -> Tensor:
        """A batch of samples, as the dataset stores them, changed at random.

        Args:
            inputs: [B, …].
            names: of the augmentations that the job asks for.
            draws: the step's own.
        """

    def outputs(self, model: nn.Module, inputs: Tensor) -> Any:
        """What a model puts out for samples that are ready for it."""
        return model(inputs)

    @abstractmethod
    def losses(self, outputs: Any, labels: Tensor) -> Tensor:
        """The loss of each sample, float [B], from what the model puts out."""

    def seed_model(self, key: int) -> None:
        """Set what a model's own draws come from, such as those of dropout, before a step is executed."""
        torch.manual_seed(key % 2**63)

    def where_not_finite(self, execute: Callable[[], object]) -> str:
        """Where, in words that follow a colon, the first number that is not finite appears while `execute` runs.

        Empty where that is not known.
        """
        return ""


class NamedIngredients(Ingredients):
    """Those of a task that names its dataset, its model and its optimizer by words.

    Args:
        task: what is trained.
        dataset: that of the task.
    """

    def __init__(self, task: NetworkTask, dataset: Dataset) -> None:
        self.dataset = dataset
        self.kind, self.akin = task.kind, task.akin
        self._task = task

    def network(self, device: torch.device, seed: int) -> Network:
        """See `Ingredients`."""
        task, data = self._task, self.dataset
        vocabulary = data.tokenizer.size if data.tokenizer is not None else None
        model = build_model(task.model, data.shape, data.classes, seed, vocabulary, task.model_options)
        prepare = standardisation(data.statistics, device) if data.tokenizer is None else None
        return Network(model, device, prepare)

    def descent(self, model: nn.Module, training: Training) -> Descent:
        """See `Ingredients`."""
        return NamedDescent(model, training)

    def augmented(self, inputs: Tensor, names: Sequence[str], draws: np.random.Generator) -> Tensor:
        """See `Ingredients`."""
        return augment(inputs, names, draws)

    def losses(self, outputs: Any, labels: Tensor) -> Tensor:
        """See `Ingredients`."""
        return F.cross_entropy(outputs.float(), labels, reduction="none")
