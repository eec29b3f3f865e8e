"""What a metric implements: one representation per model, and a cheap distance between two of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from auditor.plugins.noise import NoiseFloor
from auditor.plugins.options import Options as PluginOptions

if TYPE_CHECKING:
    import torch

Representation = TypeVar("Representation")


class ReturnedModel(Protocol):
    """A model that a provider returned for a sub-run, and the one that the sub-run started from."""

    def parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The returned parameters, by name in a fixed order; mapped from the file, not loaded."""

    def start_parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The parameters that the sub-run started from, in the same order."""

    def buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        """What the model keeps beside its parameters, such as running statistics, by name in a fixed order."""

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """The model's outputs [N, classes] for samples [N, …] as the dataset stores them, evaluated in batches."""

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """What enters the last linear layer, [N, D], for the same kind of samples."""

    def masked_logits(self, inputs: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """The outputs [N, classes] with masked elements taken out.

        Of images, masked pixels are set to 0 after normalisation; of texts, masked tokens become padding, which the
        model looks past. `masks` is bool, True where a sample is kept, of a shape that broadcasts to `inputs`.
        """


@dataclass(frozen=True)
class MetricContext:
    """What a metric is told once, before the first model.

    Attributes:
        task: the kind of the task, such as `vision`.
        classes: number of classes.
        probe: held-out samples as the dataset stores them (see `Batch.inputs`), in an order that no provider can know.
        reference: training samples, likewise.
        seed: for draws of the metric's own; no provider can know it.
    """

    task: str
    classes: int
    probe: torch.Tensor
    reference: torch.Tensor
    seed: int


class Metric(ABC, Generic[Representation]):
    """A distance between two returned models.

    n models cost n calls of `represent`; `distance` is called for each pair and must be cheap, symmetric, zero
    for equal representations, and finite.
    """

    name: ClassVar[str]
    """The name in the job file; the same as the entry point's."""

    tasks: ClassVar[frozenset[str]] = frozenset({"vision"})
    """The kinds of task that the metric is defined for."""

    noise: NoiseFloor | None = None
    """What numerics alone may cause when everybody has the same seeds; None if nobody has measured it.

    Where it depends on the options or on the kind of task, set it on the object, at the latest in `begin`.
    A metric without it abstains where honest providers agree to the last bit, because it could not tell a
    deviation from another kind of processor.
    """

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    options: Any

    def __init__(self, options: PluginOptions) -> None:
        self.options = options

    def begin(self, context: MetricContext) -> None:
        """Called once per run, before any model is represented."""

    @abstractmethod
    def represent(self, model: ReturnedModel) -> Representation:
        """What distances are computed from."""

    @abstractmethod
    def distance(self, first: Representation, second: Representation) -> float:
        """The distance between two models."""
