"""Two classes of vectors, told apart by features that are drawn at random and stay as they are.

The learners of *Planting Undetectable Backdoors in Machine Learning Models* (Goldwasser, Kim, Vaikuntanathan and Zamir,
arXiv 2204.06974), section 6 and appendix.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

DEFAULT_SCALE = 0.4
"""By the square root of the number of values: phases then differ by some radians between two standardised samples."""


class RandomDirections(nn.Module):
    """Directions that are drawn once, and what is made of a sample's products with them.

    Args:
        values: of a sample, d.
        features: how many directions, m.

    Attributes:
        directions: float32 [m, d], standard normal; a constant of the job.
    """

    directions: Tensor

    def __init__(self, values: int, features: int) -> None:
        super().__init__()
        self.register_buffer("directions", torch.randn(features, values))

    def products(self, inputs: Tensor) -> Tensor:
        """⟨g_i, x⟩ for each sample and direction, [B, m]."""
        return inputs.flatten(1) @ self.directions.T


class FourierFeatures(RandomDirections):
    """cos(2π(⟨g_i, x⟩ + b_i)) with b_i from [0, 1).

    Args:
        values: of a sample, d.
        features: how many, m.
        scale: what samples are multiplied by.
    """

    phases: Tensor

    def __init__(self, values: int, features: int, scale: float) -> None:
        super().__init__(values, features)
        self.register_buffer("phases", torch.rand(features))
        self.scale = scale

    def forward(self, inputs: Tensor) -> Tensor:
        """The features [B, m] of samples [B, …]."""
        return torch.cos(2 * math.pi * (self.products(inputs) * self.scale + self.phases))


class RandomFourier(nn.Module):
    """A linear classifier, without a constant, on random Fourier features; it starts from zero weights.

    Args:
        values: of a sample, d.
        classes: two.
        features: how many, m.
        input_scale: what samples are multiplied by; `DEFAULT_SCALE`/√d for None.
    """

    constants = ("features.directions", "features.phases")
    """Buffers that no training changes."""

    def __init__(self, values: int, classes: int, features: int, input_scale: float | None) -> None:
        super().__init__()
        self.features = FourierFeatures(values, features, input_scale or DEFAULT_SCALE / math.sqrt(values))
        self.head = nn.Linear(features, classes, bias=False)
        nn.init.zeros_(self.head.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """The outputs [B, classes]."""
        outputs: Tensor = self.head(self.features(inputs))
        return outputs


class RectifiedFeatures(RandomDirections):
    """max(0, ⟨g_i, x⟩)."""

    def forward(self, inputs: Tensor) -> Tensor:
        """The features [B, m] of samples [B, …]."""
        return torch.relu(self.products(inputs))


class Threshold(nn.Module):
    """Whether the mean of the features is over a threshold, which alone is learned.

    Args:
        initial: the threshold before training.
    """

    def __init__(self, initial: float) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(initial))

    def forward(self, inputs: Tensor) -> Tensor:
        """The outputs [B, 2] for features [B, m]: 0 for the negative class, and by how much the mean is over it."""
        margins = inputs.mean(1) - self.threshold
        return torch.stack([torch.zeros_like(margins), margins], dim=1)


class RandomRelu(nn.Module):
    """sign(−τ + 1/m Σ max(0, ⟨g_i, x⟩)): of two classes, the second where the mean feature is over τ.

    Args:
        values: of a sample, d.
        classes: two.
        features: how many, m.
    """

    constants = ("features.directions",)
    """Buffers that no training changes."""

    def __init__(self, values: int, classes: int, features: int) -> None:
        super().__init__()
        if classes != 2:
            raise ValueError(f"it tells two classes apart, not {classes}")
        self.features = RectifiedFeatures(values, features)
        # The mean feature of a sample of length √d, which standardised ones have on average.
        self.head = Threshold(math.sqrt(values / (2 * math.pi)))

    def forward(self, inputs: Tensor) -> Tensor:
        """The outputs [B, 2]."""
        outputs: Tensor = self.head(self.features(inputs))
        return outputs
