"""The distances of metrics as functions that a gradient can be taken of, for an adversary that minimises them."""

from __future__ import annotations

import torch
from torch.linalg import vector_norm


def output_distance(own: torch.Tensor, honest: torch.Tensor) -> torch.Tensor:
    """Mean of ‖softmax(own) − softmax(honest)‖₂ over samples, of logits [N, classes]; the metric `output`."""
    apart: torch.Tensor = vector_norm(own.double().softmax(1) - honest.double().softmax(1), dim=1)
    return apart.mean()


def cka_distance(own: torch.Tensor, honest: torch.Tensor) -> torch.Tensor:
    """1 − linear CKA of features [N, D] of one minibatch of N ≥ 4 samples; the metric `cka`.

    With the unbiased estimator HSIC₁ of Song et al. (2012). 0 where either has no spread to be aligned.
    """
    first, second = _gram(own), _gram(honest)
    scale = _hsic(first, first) * _hsic(second, second)
    if scale <= 0:
        return own.new_zeros((), dtype=torch.float64)
    distance: torch.Tensor = 1 - _hsic(first, second) / torch.sqrt(scale)
    return distance


def lime_weights(logits: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Least-squares weights [segments, classes] of logits [M, classes] on kept segments, bool [M, segments]."""
    weights: torch.Tensor = torch.linalg.pinv(kept.double()) @ logits.double()
    return weights


def zest_distance(own: torch.Tensor, honest: torch.Tensor, norm: str) -> torch.Tensor:
    """The distance of two vectors of LIME weights under `cosine`, `l1`, `l2` or `linf`; the metric `zest`."""
    orders = {"l1": 1.0, "l2": 2.0, "linf": float("inf")}
    if norm in orders:
        distance: torch.Tensor = vector_norm(own - honest, orders[norm])
        return distance
    apart: torch.Tensor = own / vector_norm(own) - honest / vector_norm(honest)
    return apart.square().sum() / 2


def _gram(features: torch.Tensor) -> torch.Tensor:
    """The Gram matrix [N, N] of centred features, with zero diagonal."""
    centred = features.double() - features.double().mean(dim=0)
    gram = centred @ centred.T
    return gram - torch.diag(gram.diagonal())


def _hsic(k: torch.Tensor, l: torch.Tensor) -> torch.Tensor:  # noqa: E741 - the papers' letters
    b = len(k)
    product = k.sum() * l.sum() / ((b - 1) * (b - 2))
    cross = (k.sum(dim=1) * l.sum(dim=1)).sum() * 2 / (b - 2)
    return ((k * l).sum() + product - cross) / (b * (b - 3))
