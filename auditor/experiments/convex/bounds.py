"""How far poisoning moves a model, and how fast fine-tuning brings it back: bounds for strongly convex losses.

The theory of On the Permanence of Backdoors in Evolving Models (arXiv:2206.04677, §6).
"""

from __future__ import annotations

import numpy as np

from auditor.experiments.convex.logistic import LogisticLoss, MixedLoss, Values

FAR = 10**9
"""More steps than that are never."""


def poisoned_distance(mixed: MixedLoss, benign_minimiser: Values) -> float:
    """The most that ‖w_ε − w_b‖ can be: ε·‖∇ℓ_p(w_b)‖ / ((1 − ε)·μ_b + ε·μ_p).

    The mixed loss is as strongly convex as the denominator says, and its gradient at w_b is ε·∇ℓ_p(w_b).

    Args:
        mixed: the poisoned loss.
        benign_minimiser: w_b.
    """
    return mixed.ratio * float(np.linalg.norm(mixed.poison.gradient(benign_minimiser))) / mixed.convexity


def contraction(loss: LogisticLoss, rate: float) -> float:
    """The most that is left of the distance to the minimiser after a step of gradient descent: 1 − η·μ.

    Args:
        loss: what is minimised.
        rate: η.

    Raises:
        ValueError: the rate is not above 0 and at most 1/L, for which the bound holds.
    """
    if not 0 < rate <= 1 / loss.smoothness:
        raise ValueError(f"the rate {rate:g} is not above 0 and at most 1/L = {1 / loss.smoothness:g}")
    return 1 - rate * loss.convexity


def steps_until(share: float, contraction: float) -> int:
    """The fewest steps after which at most this share of a distance is left, if each step leaves `contraction` of it.

    Args:
        share: from 0 to 1.
        contraction: likewise, below 1.
    """
    if share >= 1:
        return 0
    if share <= 0:
        return FAR
    return min(FAR, int(np.ceil(np.log(share) / np.log(contraction) - 1e-9)))


def gradient_norm(loss: LogisticLoss, start: Values) -> float:
    """G: no gradient of one sample is longer, at any weights that SGD with the rate 1/(μ·t) visits.

    An error p − y is no longer than √2, so that a sample's part of the gradient is no longer than √2·R, and the penalty
    adds μ·‖w‖. The first step forgets where it started: after it the weights are −1/μ times a mean of samples' parts,
    so that ‖w‖ ≤ √2·R/μ.

    Args:
        loss: what is minimised.
        start: the weights to begin with.
    """
    part = float(np.sqrt(2)) * loss.radius
    return part + max(part, loss.convexity * float(np.linalg.norm(start)))


def sgd_distance(loss: LogisticLoss, start: Values, steps: int) -> float:
    """The most that E‖w_T − w_b‖² can be for SGD with the rate 1/(μ·t): 4·G² / (μ²·T) (Rakhlin et al., 2011, lemma 1).

    Args:
        loss: what is minimised.
        start: the weights to begin with.
        steps: T, above 0.
    """
    return float(4 * gradient_norm(loss, start) ** 2 / (loss.convexity**2 * steps))
