"""What a metric implements: one representation per model, and a cheap distance between two of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from auditor.plugins.options import Options as PluginOptions

if TYPE_CHECKING:
    import torch

Representation = TypeVar("Representation")


Part = Literal["parameters", "start_parameters", "buffers", "optimizer_state"]
"""A part of a returned model, named like the method of `ReturnedModel` that gives it."""

PIECE = 1 << 16
"""Numbers of a tensor that are looked at together: few enough that those of several models stay in the processor's
caches, enough that the work outweighs Python's."""

EVERY_TASK = frozenset({"*"})
"""Set as `tasks`, says that a plugin is defined for every kind of task, also for kinds that it does not know."""


def fits(kind: str, tasks: frozenset[str], akin: tuple[str, ...] = ()) -> bool:
    """Whether a plugin that is defined for these kinds of task serves one of this kind.

    Args:
        kind: of the task.
        tasks: the kinds that the plugin is defined for.
        akin: other kinds whose samples and models have the form of this one's (`auditor.job.task.Task.akin`).
    """
    return tasks >= EVERY_TASK or not tasks.isdisjoint((kind, *akin))


class ReturnedModel(Protocol):
    """A model that a provider returned for a sub-run, and the one that the sub-run started from."""

    def parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The returned parameters, by name in a fixed order; mapped from the file, not loaded."""

    def start_parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The parameters that the sub-run started from, in the same order."""

    def buffers(self) -> Iterator[tuple[str, torch.Tensor]]:
        """What the model keeps beside its parameters, such as running statistics, by name in a fixed order."""

    def optimizer_state(self) -> Iterator[tuple[str, torch.Tensor]]:
        """What the returned optimizer keeps for each parameter, as `PARAMETER.KEY` in a fixed order; mapped.

        KEY is PyTorch's: `momentum_buffer` of SGD; `exp_avg`, `exp_avg_sq` and `step` of Adam.
        """

    def pieces(
        self, part: Part, numbers: int = PIECE, only: Collection[str] | None = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """One of the parts above as flat pieces of its tensors, read as they are asked for.

        So a metric need not hold a model, nor even a tensor, which may be larger than the memory. All models of a
        sub-run, and their start, have the same pieces in the same order. A tensor without numbers is one empty piece.

        Args:
            part: which.
            numbers: of a piece at most; the last of a tensor may have fewer.
            only: the names of tensors, where not all are wanted.
        """

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """The model's outputs [N, classes] for samples [N, …] as the dataset stores them, evaluated in batches."""

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """What enters the last linear layer, [N, D], for the same kind of samples."""

    def activations(self, inputs: torch.Tensor, layers: Sequence[str]) -> list[torch.Tensor]:
        """What each of these layers puts out, float32 [N, D], all other dimensions flattened into D.

        All `inputs` are evaluated at once, and the whole answer is in memory.

        Args:
            inputs: samples as the dataset stores them.
            layers: names from `ModelOutline.layers`.
        """

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        """The outputs [M, classes] for M masked copies of each sample, evaluated in batches.

        Of images, masked pixels are set to 0 after normalisation; of texts, masked tokens become padding, which
        the model looks past.

        Args:
            inputs: samples [N, …] as the dataset stores them.
            masks: for each sample bool [M, …], True where it is kept, of a shape that broadcasts to M samples;
                taken one after another, so that they need not all be in memory.
        """

    def differentiable(self) -> torch.nn.Module:
        """The model as a module through which gradients flow to its inputs; evaluated at once, not in batches.

        It takes samples as the dataset stores them, and of images any real numbers in their range: float
        [N, C, H, W] from 0 to 255. It gives the outputs [N, classes] before any softmax, in evaluation mode. Its
        parameters are frozen, and say on which device it computes. It is a copy: it stays what it is while other
        models are looked at, and what is done to it hurts none.
        """


@dataclass(frozen=True)
class ModelOutline:
    """What the models of a job consist of, by name.

    Attributes:
        layers: modules that put out one tensor with a row for each sample, in the order of definition.
        parameters: as `ReturnedModel.parameters` has them.
        buffers: as `ReturnedModel.buffers` has them.
        optimizer_state: as `ReturnedModel.optimizer_state` has them.
    """

    layers: tuple[str, ...]
    parameters: tuple[str, ...]
    buffers: tuple[str, ...]
    optimizer_state: tuple[str, ...]


@dataclass(frozen=True)
class MetricContext:
    """What a metric or an inspector gets once, before the first model.

    Attributes:
        task: the kind of the task, such as `vision`.
        classes: number of classes.
        probe: held-out samples as the dataset stores them (see `Batch.inputs`), in an order that no provider can know.
        reference: training samples, likewise.
        seed: for its draws; no provider can know it.
        model: what all models of the job consist of.
        akin: other kinds of task whose plugins serve this one, too.
    """

    task: str
    classes: int
    probe: torch.Tensor
    reference: torch.Tensor
    seed: int
    model: ModelOutline
    akin: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All models returned for a sub-run, compared.

    Attributes:
        distances: a row for each model, in it the distance to each; symmetric, 0 on the diagonal.
        remarks: for each model where it differs most from the others, to follow a figure in the reasons of a
            verdict, such as "most in layers conv1 and fc"; empty where there is nothing to say.
    """

    distances: Sequence[Sequence[float]]
    remarks: Sequence[str] = ()


class Metric(ABC, Generic[Representation]):
    """A distance between two returned models.

    n models cost n calls of `represent`; `distance` is called for each pair and must be cheap, symmetric, zero
    for equal representations, and finite.
    """

    name: ClassVar[str]
    """The name in the job file; the same as the entry point's."""

    tasks: ClassVar[frozenset[str]] = frozenset({"vision"})
    """The kinds of task that the metric is defined for; `EVERY_TASK` if it looks at tensors alone."""

    unrelated: float | None = None
    """How far apart two models lie whose trainings have nothing in common; None if that depends on the job.

    With shared seeds it is what noise is held against: where noise comes near it, an attack would fit in the noise, and
    the verdict says so. Without it the client takes the distance from the start of the sub-run to its honest end.
    """

    spread: float = 0.5
    """The standard deviation of the logarithms of distances among honest providers that draw their own seeds.

    About, and rather too large than too small: a run that has seen enough distances goes by these, and only the first
    sub-runs of few providers are judged by this. `auditor bench` measures it; the default is that of a metric whose
    honest distances scatter widely.
    """

    Options: ClassVar[type[PluginOptions]] = PluginOptions
    options: Any

    example: ClassVar[Mapping[str, Any]] = {}
    """Options to try it with, as a job file has them: what is required, and what makes it do something at once."""

    def __init__(self, options: PluginOptions) -> None:
        self.options = options

    def begin(self, context: MetricContext) -> None:
        """Called once per run, before any model is represented.

        Raises:
            ValueError: the metric cannot serve this job; says why, and what to do. The run is then not started.
        """

    @abstractmethod
    def represent(self, model: ReturnedModel) -> Representation:
        """What distances are computed from."""

    @abstractmethod
    def distance(self, first: Representation, second: Representation) -> float:
        """The distance between two models."""

    def compare(self, representations: Sequence[Representation]) -> Comparison:
        """All distances among the models of one sub-run, and where each model differs.

        By default `distance` for each pair, and no remarks. Override it where all pairs at once are cheaper, or
        where there is something to remark; the distances must be those that `distance` gives.
        """
        values = [[0.0] * len(representations) for _ in representations]
        for row, first in enumerate(representations):
            for column, second in enumerate(representations[:row]):
                values[row][column] = values[column][row] = float(self.distance(first, second))
        return Comparison(values)
