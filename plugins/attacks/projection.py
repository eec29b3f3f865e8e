"""Pulling the state of one execution towards that of another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch

Tensors = dict[str, torch.Tensor]


def within(own: Tensors, honest: Tensors, start: Tensors, names: Sequence[str], bound: float) -> float:
    """The factor on own − honest, 1 at most, that leaves it no longer than bound · ‖honest − start‖."""
    deviation = _distance(own, honest, names)
    allowed = bound * _distance(honest, start, names)
    return min(1.0, allowed / deviation) if deviation else 1.0


def pulled(own: Tensors, honest: Tensors, names: Sequence[str], factor: float) -> Tensors:
    """Honest + factor · (own − honest), of the named tensors; empty where that changes nothing."""
    if factor >= 1:
        return {}
    return {name: torch.lerp(honest[name], own[name], factor) for name in names}


@torch.no_grad()
def take(own: Tensors, changed: Tensors) -> None:
    """Copy what changed into the live tensors of a model."""
    for name, tensor in changed.items():
        own[name].copy_(tensor)


def squared_length(tensors: Iterable[torch.Tensor]) -> float:
    """The sum of all squares."""
    return sum(float(tensor.detach().double().square().sum()) for tensor in tensors)


def _distance(first: Tensors, second: Tensors, names: Sequence[str]) -> float:
    return math.sqrt(squared_length(first[name].double() - second[name].double() for name in names))
