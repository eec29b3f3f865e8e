"""What two models' weights alone do not show: how they normalise."""

from __future__ import annotations

import torch

from auditor.plugins import EVERY_TASK, Metric, MetricContext, ReturnedModel

SMALLEST_VARIANCE = 1e-5
"""What normalisation layers add to a variance themselves, PyTorch's default."""

Statistics = list[tuple[torch.Tensor, torch.Tensor]]
"""Running mean and variance of each normalisation layer, float64 [channels]."""


class BufferDistance(Metric[Statistics]):
    """How far the running statistics of two models are apart.

    The distance is the root mean square over all channels of all normalisation layers. For a channel with running
    means μ, ν and variances σ², τ² it is (μ − ν)² / mean(σ², τ²) + (ln σ² − ln τ²)² / 2: a difference of means in
    standard deviations, and of scales as a ratio. Running statistics average over the data of the last steps, so that
    they tell what a provider trained on even when the weights hardly move. They are all that this metric sees.
    """

    name = "buffers"
    tasks = EVERY_TASK
    spread = 0.2

    def begin(self, context: MetricContext) -> None:
        """See whether the job's models have any."""
        if not any(name.endswith("running_var") for name in context.model.buffers):
            raise ValueError("there is nothing to compare: the model has no layer with running statistics")

    def represent(self, model: ReturnedModel) -> Statistics:
        """The statistics of every layer that has any."""
        buffers = {name: tensor.double() for name, tensor in model.buffers() if tensor.is_floating_point()}
        layers = [name.removesuffix("running_mean") for name in buffers if name.endswith("running_mean")]
        return [
            (buffers[f"{layer}running_mean"], buffers[f"{layer}running_var"].clamp_min(SMALLEST_VARIANCE))
            for layer in layers
        ]

    def distance(self, first: Statistics, second: Statistics) -> float:
        """See the class."""
        total, channels = 0.0, 0
        for (mean, variance), (other_mean, other_variance) in zip(first, second, strict=True):
            means = (mean - other_mean).square() / ((variance + other_variance) / 2)
            scales = (variance.log() - other_variance.log()).square() / 2
            total += float((means + scales).sum())
            channels += len(mean)
        return float((total / channels) ** 0.5)
