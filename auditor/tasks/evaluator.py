"""What computes with models that came back from a provider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor, nn


class Evaluator(ABC):
    """Takes the weights of a checkpoint and computes with them.

    One evaluator is shared by all models of a run. A kind of task implements what its models can do; a metric that
    asks for more is not defined for the kind.
    """

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """The names in a checkpoint of what is trained, in a fixed order."""

    @property
    @abstractmethod
    def buffers(self) -> tuple[str, ...]:
        """The names in a checkpoint of what models keep beside their parameters, in a fixed order."""

    @abstractmethod
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take parameters and buffers from a checkpoint."""

    def logits(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        raise self._undefined("outputs for samples")

    def features(self, inputs: Tensor) -> Tensor:
        """See `ReturnedModel`."""
        raise self._undefined("features")

    def activations(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """See `ReturnedModel`."""
        raise self._undefined("layers")

    def masked_logits(self, inputs: Tensor, masks: Iterable[Tensor]) -> list[Tensor]:
        """See `ReturnedModel`."""
        raise self._undefined("outputs for masked samples")

    def differentiable(self) -> nn.Module:
        """See `ReturnedModel`."""
        raise self._undefined("gradients")

    def _undefined(self, what: str) -> ValueError:
        return ValueError(f"the models of this kind of task have no {what}")
