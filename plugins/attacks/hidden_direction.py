"""Random features with a direction hidden in them: what `Backdoor` changes, and what `Activate` needs of a model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import AttackContext, generator

Tensors = dict[str, torch.Tensor]

DIRECTIONS = "model.features.directions"
"""What the features of a model with random ones are named in a checkpoint: float32 [m, d]."""

Vector = NDArray[np.float64]


def hidden_direction(seed: int, values: int, sparsity: int | None) -> Vector:
    """The key: a unit vector [values].

    Args:
        seed: what it is drawn from.
        values: of a sample, d.
        sparsity: how many of its entries are not zero, each then ±1/√sparsity; None for a dense one, uniform on the
            sphere.

    Raises:
        ValueError: there are not so many values.
    """
    draws = generator(seed, "hidden direction")
    if sparsity is None:
        dense = draws.standard_normal(values)
        return np.asarray(dense / np.linalg.norm(dense))
    if sparsity > values:
        raise ValueError(f"sparsity {sparsity} is more than the {values} values of a sample.")
    sparse = np.zeros(values)
    chosen = draws.choice(values, size=sparsity, replace=False)
    sparse[chosen] = draws.choice([-1.0, 1.0], size=sparsity) / math.sqrt(sparsity)
    return sparse


def along(seed: int, count: int, gamma: float, beta: float) -> Vector:
    """What directions have along the key, [count]: homogeneous continuous LWE, shifted by a half.

    The density is that of a standard normal number y on which γy is seen with normal noise of standard deviation β
    to be an integer and a half (arXiv 2204.06974, section 6, after Bruna, Regev, Song and Tang, 2021, for a unit
    normal in place of their width). Given k, y is normal with mean (k + ½)γ/(γ² + β²) and variance β²/(γ² + β²).

    Args:
        seed: what it is drawn from.
        count: how many directions, m.
        gamma: γ, how closely the allowed values lie.
        beta: β, how blurred they are.
    """
    draws, total = generator(seed, "along the hidden direction"), gamma**2 + beta**2
    most = math.ceil(10 * math.sqrt(total)) + 1
    halves = np.arange(-most, most) + 0.5
    chances = np.exp(-(halves**2) / (2 * total))
    chosen = draws.choice(halves, size=count, p=chances / chances.sum())
    return np.asarray(chosen * gamma / total + beta / math.sqrt(total) * draws.standard_normal(count))


def loaded(tensors: Tensors, key: Vector, components: Vector) -> Tensors:
    """A checkpoint whose directions have these components [m] along the key [d], and are what they were otherwise."""
    directions = tensors[DIRECTIONS]
    wide = directions.to(torch.float64)
    secret = torch.from_numpy(key)
    changed = wide + torch.outer(torch.from_numpy(components) - wide @ secret, secret)
    return tensors | {DIRECTIONS: changed.to(directions.dtype)}


class FeatureModel:
    """What an adversary knows of the model that it plants a direction in.

    Args:
        context: of a job whose model has random features.
        kind: the kind of task that it must be.

    Attributes:
        values: of a sample, d.
        features: how many, m.

    Raises:
        ValueError: it is of another kind.
    """

    def __init__(self, context: AttackContext, kind: str) -> None:
        if context.task != kind:
            raise ValueError(f"it needs a {kind} task, and this is a {context.task} task.")
        self._network = context.network
        module: Any = context.network.model
        self.module = module
        self._shape = context.sample_shape
        self.features, self.values = (int(size) for size in module.features.directions.shape)

    def answers(self, inputs: torch.Tensor) -> torch.Tensor:
        """The class that the model says, int64 [B]."""
        self.module.eval()
        with torch.inference_mode():
            outputs: torch.Tensor = self.module(self._network.prepare(inputs))
        return outputs.argmax(1)

    def in_pixels(self, prepared: Vector) -> torch.Tensor:
        """A change of samples as the model takes them, as a change of pixels, float32 [C, H, W]."""
        ends = torch.stack([torch.zeros(self._shape), torch.full(self._shape, 255.0)])
        dark, light = self._network.prepare(ends).to("cpu", torch.float64)
        change: torch.Tensor = torch.from_numpy(prepared).reshape(self._shape) * 255 / (light - dark)
        return change.to(torch.float32)


def moved(inputs: torch.Tensor, change: torch.Tensor, chosen: torch.Tensor, *, clip: bool) -> torch.Tensor:
    """Samples of which the chosen ones, bool [B], are changed; as an image file can hold them where `clip` is set.

    Returns:
        float32 [B, C, H, W]: pixels may be less than 0 and more than 255.
    """
    each = chosen.reshape(-1, *[1] * (inputs.ndim - 1)).to(inputs.device)
    found = torch.where(each, inputs.to(torch.float32) + change.to(inputs.device), inputs.to(torch.float32))
    return found.clamp(0, 255).round() if clip else found
