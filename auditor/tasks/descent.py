"""An optimizer as checkpoints hold it: its state under stable names, and its rates at any step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from auditor.job.training import Training
from auditor.tasks.optimization import learning_rate, make_optimizer, optimizer_tensors


class Descent(ABC):
    """Takes steps with a model's gradients."""

    @abstractmethod
    def rates(self, step: int) -> tuple[float, float]:
        """The learning rate, after the schedule, and the weight decay at a step; functions of the step alone."""

    @abstractmethod
    def take_step(self, step: int, learning_rate: float, weight_decay: float) -> None:
        """Change the parameters by their gradients, at these rates."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The state as `optimizer.PARAMETER.KEY`, the live tensors where there are any."""

    @abstractmethod
    def take(self, state: Mapping[str, Tensor]) -> None:
        """Go on from another state, which has the names of `tensors` and perhaps more."""


class NamedDescent(Descent):
    """An optimizer and a schedule that the job names.

    Args:
        model: whose parameters.
        training: names them.
    """

    def __init__(self, model: nn.Module, training: Training) -> None:
        self._model = model
        self._training = training
        self._optimizer = make_optimizer(model, training.optimizer)

    def rates(self, step: int) -> tuple[float, float]:
        """See `Descent`."""
        return learning_rate(self._training, step), self._training.optimizer.weight_decay

    def take_step(self, step: int, learning_rate: float, weight_decay: float) -> None:
        """See `Descent`."""
        for group in self._optimizer.param_groups:
            group["lr"], group["weight_decay"] = learning_rate, weight_decay
        self._optimizer.step()

    def tensors(self) -> dict[str, Tensor]:
        """See `Descent`."""
        return optimizer_tensors(self._optimizer, self._model)

    def take(self, state: Mapping[str, Tensor]) -> None:
        """See `Descent`."""
        for name, tensor in self.tensors().items():
            tensor.copy_(state[name])
