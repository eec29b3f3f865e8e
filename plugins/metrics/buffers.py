"""What two models' weights alone do not show: how they normalise, and the state of their optimizers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import Comparison, Metric, MetricContext, NoiseFloor, Options, ReturnedModel, option

from .geometric import geometric
from .noise import floor_for
from .streaming import Squares, squares_apart

SMALLEST_VARIANCE = 1e-5
"""What normalisation layers add to a variance themselves, PyTorch's default."""

OPTIMIZER_SHARE = 0.01
"""What the optimizer's state counts for beside running statistics. Momentum forgets within ten steps, so that with
seeds of their own honest providers' is wholly unlike (about 1.4, measured), and would drown statistics that differ
by 0.1. State that was thrown away or made up is seen all the same where everybody has the client's seeds."""

STATISTICS_NOISE = NoiseFloor(per_step=6e-6, growth=1.9, early=60, most=0.5)
"""The noise floor of running statistics alone."""

OPTIMIZER_NOISE = NoiseFloor(per_step=1.3e-3, growth=1.25, early=20, most=1.5)
"""The noise floor of the optimizer's state alone, on images."""

OPTIMIZER_TEXT_NOISE = NoiseFloor(per_step=3e-5, growth=1.25, early=10, most=1.5)
"""The noise floor of the optimizer's state alone, on texts."""


class BufferOptions(Options):
    """What a job file may write for `buffers`."""

    what: Literal["both", "statistics", "optimizer"] = option(
        "both", "whether running statistics are compared, the optimizer's state, or whichever of them a job has"
    )


@dataclass(frozen=True)
class State:
    """Running mean and variance of each normalisation layer, float64 [channels]; and the model for the rest."""

    statistics: list[tuple[torch.Tensor, torch.Tensor]]
    model: ReturnedModel


class BufferDistance(Metric[State]):
    """√(s² + (o / 100)²), of the running statistics s and the optimizer's state o; or either alone.

    s is the root mean square, over all channels of all normalisation layers, of how far their statistics are apart:
    for a channel with running means μ, ν and variances σ², τ² it is (μ − ν)² / mean(σ², τ²) + (ln σ² − ln τ²)² / 2,
    a difference of means in standard deviations, and of scales as a ratio. Running statistics average over the data
    of the last steps, so that they tell what a provider trained on even when the weights hardly move.

    o is the largest, over what the optimizer keeps (momentum; Adam's moments and count of steps), of
    ‖u − v‖ ÷ √(‖u‖·‖v‖), all parameters' u and v taken together. It is the whole distance where a model has no
    running statistics, or is asked for alone.
    """

    name = "buffers"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=1.3e-5, growth=1.6, early=42, most=0.5)
    spread = 0.2
    Options = BufferOptions
    options: BufferOptions

    def begin(self, context: MetricContext) -> None:
        """See what the job's models have."""
        what, model = self.options.what, context.model
        self._statistics = what != "optimizer" and any(name.endswith("running_var") for name in model.buffers)
        self._optimizer = what != "statistics" and bool(model.optimizer_state)
        if not self._statistics and not self._optimizer:
            missing = {
                "statistics": "the model has no layer with running statistics; what = 'optimizer' may have something",
                "optimizer": "its optimizer keeps no state; momentum and adamw do",
                "both": "the model has neither running statistics nor optimizer state",
            }
            raise ValueError(f"there is nothing to compare: {missing[what]}")
        if not self._optimizer:
            self.noise = STATISTICS_NOISE
        elif not self._statistics:
            self.noise = floor_for(context, usual=OPTIMIZER_NOISE, texts=OPTIMIZER_TEXT_NOISE)

    def represent(self, model: ReturnedModel) -> State:
        """The statistics of every layer that has any; the optimizer's state stays in its file."""
        if not self._statistics:
            return State([], model)
        buffers = {name: tensor.double() for name, tensor in model.buffers() if tensor.is_floating_point()}
        layers = [name.removesuffix("running_mean") for name in buffers if name.endswith("running_mean")]
        statistics = [
            (buffers[f"{layer}running_mean"], buffers[f"{layer}running_var"].clamp_min(SMALLEST_VARIANCE))
            for layer in layers
        ]
        return State(statistics, model)

    def distance(self, first: State, second: State) -> float:
        """See the class."""
        return 0.0 if first is second else float(self.compare([first, second]).distances[0][1])

    def compare(self, representations: Sequence[State]) -> Comparison:
        """All pairs, with one pass over the optimizers' state."""
        if not self._optimizer:
            return Comparison(_statistics(representations).tolist())
        optimizer = _optimizer([one.model for one in representations])
        if not self._statistics:
            return Comparison(optimizer.tolist())
        return Comparison(np.hypot(_statistics(representations), OPTIMIZER_SHARE * optimizer).tolist())


def _statistics(models: Sequence[State]) -> NDArray[np.float64]:
    distances = np.zeros((len(models), len(models)))
    for row, first in enumerate(models):
        for column, second in enumerate(models[:row]):
            distances[row, column] = distances[column, row] = _apart(first, second)
    return distances


def _apart(first: State, second: State) -> float:
    total, channels = 0.0, 0
    for (mean, variance), (other_mean, other_variance) in zip(first.statistics, second.statistics, strict=True):
        means = (mean - other_mean).square() / ((variance + other_variance) / 2)
        scales = (variance.log() - other_variance.log()).square() / 2
        total += float((means + scales).sum())
        channels += len(mean)
    return float((total / channels) ** 0.5)


def _optimizer(models: Sequence[ReturnedModel]) -> NDArray[np.float64]:
    """The largest distance over the kinds of state, all pairs."""
    rows = [_origin(models[0]), *(model.optimizer_state() for model in models)]
    kinds: dict[str, Squares] = {}
    for name, squares in squares_apart(rows):
        kind = name.rpartition(".")[2]
        kinds[kind] = kinds[kind] + squares if kind in kinds else squares
    distances: NDArray[np.float64] = np.max([geometric(squares) for squares in kinds.values()], axis=0)
    return distances


def _origin(model: ReturnedModel) -> Iterator[tuple[str, torch.Tensor]]:
    """State that is 0 throughout, without the memory for it."""
    for name, tensor in model.optimizer_state():
        yield name, tensor.new_zeros(1).expand(tensor.numel())
