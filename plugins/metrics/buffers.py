"""What two models' weights alone do not show: how they normalise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from auditor.plugins import Comparison, MetricContext, ReturnedModel

from .file_metric import FileMetric

SMALLEST_VARIANCE = 1e-5
"""What normalisation layers add to a variance themselves, PyTorch's default."""

Numbers = NDArray[np.float64]

MEAN, VARIANCE = "running_mean", "running_var"


class BufferDistance(FileMetric):
    """How far the running statistics of two models are apart.

    The distance is the root mean square over all channels of all normalisation layers. For a channel with running
    means μ, ν and variances σ², τ² it is (μ − ν)² / mean(σ², τ²) + (ln σ² − ln τ²)² / 2: a difference of means in
    standard deviations, and of scales as a ratio. Running statistics average over the data of the last steps, so that
    they tell what a provider trained on even when the weights hardly move. They are all that this metric sees.
    """

    name = "buffers"
    spread = 0.2
    unrelated = None

    def begin(self, context: MetricContext) -> None:
        """See whether the job's models have any."""
        buffers = set(context.model.buffers)
        layers = [name.removesuffix(MEAN) for name in context.model.buffers if name.endswith(MEAN)]
        self._layers = [layer for layer in layers if layer + VARIANCE in buffers]
        if not self._layers:
            raise ValueError("there is nothing to compare: the model has no layer with running statistics")

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files."""
        total, channels = np.zeros((len(representations),) * 2), 0
        for layer in self._layers:
            means, variances = (
                zip(*(model.pieces("buffers", only=[layer + kind]) for model in representations), strict=True)
                for kind in (MEAN, VARIANCE)
            )
            for row, scales in zip(means, variances, strict=True):
                centres = [piece.double().numpy() for _, piece in row]
                widths = [np.maximum(piece.double().numpy(), SMALLEST_VARIANCE) for _, piece in scales]
                channels += len(centres[0])
                for one, other in combinations(range(len(representations)), 2):
                    apart = _apart(centres[one], widths[one], centres[other], widths[other])
                    total[one, other] = total[other, one] = total[one, other] + apart
        return Comparison(np.sqrt(total / channels).tolist())


def _apart(mean: Numbers, variance: Numbers, other_mean: Numbers, other_variance: Numbers) -> float:
    """The sum over channels."""
    means = np.square(mean - other_mean) / ((variance + other_variance) / 2)
    scales = np.square(np.log(variance) - np.log(other_variance)) / 2
    return float((means + scales).sum())
