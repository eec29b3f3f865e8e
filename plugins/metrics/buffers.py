"""How differently two models normalise: what their weights alone do not show."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, NoiseFloor, ReturnedModel

SMALLEST_VARIANCE = 1e-5
"""What normalisation layers add to a variance themselves, PyTorch's default."""

Statistics = list[tuple[torch.Tensor, torch.Tensor]]
"""Running mean and variance of each normalisation layer, float64 [channels]."""


class BufferDistance(Metric[Statistics]):
    """Root mean square, over all channels of all normalisation layers, of how far their statistics are apart.

    For a channel with running means μ, ν and variances σ², τ² it is (μ − ν)² / mean(σ², τ²) + (ln σ² − ln τ²)² / 2:
    a difference of means in standard deviations, and of scales as a ratio. Running statistics average over the data
    of the last steps, so that they tell what a provider trained on even when the weights hardly move.
    """

    name = "buffers"
    noise = NoiseFloor(per_step=1e-6, growth=2.2, early=60, most=0.5)

    def represent(self, model: ReturnedModel) -> Statistics:
        """The statistics of every layer that has any."""
        buffers = {name: tensor.double() for name, tensor in model.buffers() if tensor.is_floating_point()}
        layers = [name.removesuffix("running_mean") for name in buffers if name.endswith("running_mean")]
        if not layers:
            raise ValueError("the model has no layer with running statistics, so that there is nothing to compare")
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
