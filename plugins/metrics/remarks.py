"""Where a model differs most from the others, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

NAMED = 3
"""So many parts are named at most."""

OF_LARGEST = 0.5
"""Parts that stand out by less than this share of the one that stands out most are not named."""

FLOOR = 0.01
"""Distances among the others count at least as this share of the model's own largest: where they agree to the last
bit, nothing else would be left to compare with."""


def most_in(parts: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """For each model the layers in which it lies further from the others than these do from one another.

    Args:
        parts: for each layer the distances [models, models].
    """
    names = list(parts)
    distances = np.stack(list(parts.values()))
    return [_remark(names, distances, index) for index in range(distances.shape[1])]


def _remark(names: list[str], distances: NDArray[np.float64], index: int) -> str:
    others = [other for other in range(distances.shape[1]) if other != index]
    own = np.median(distances[:, index, others], axis=1) if others else np.zeros(len(names))
    if not own.any():
        return ""
    pairs = np.triu_indices(len(others), 1)
    among = np.median(distances[:, others][:, :, others][:, *pairs], axis=1) if len(others) > 1 else np.zeros(len(own))
    outstanding = own / (among + FLOOR * own.max())
    order = np.argsort(-outstanding, kind="stable")[:NAMED]
    named = [names[layer] for layer in order if outstanding[layer] >= OF_LARGEST * outstanding.max()]
    if len(named) == 1:
        return f"most in layer {named[0]}"
    return f"most in layers {', '.join(named[:-1])} and {named[-1]}"
