"""Fine-tuning: gradient descent and stochastic gradient descent, with the distance to a point after each step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.base.randomness import generator
from auditor.experiments.convex.logistic import LogisticLoss, Values

MOST_STEPS = 100_000
"""Gradient descent is given up after that many."""


def descend_until(loss: LogisticLoss, start: Values, goal: Values, rate: float, near: float) -> list[float]:
    """The distance to a goal before the first and after every step of gradient descent, until it is near.

    Args:
        loss: what is minimised.
        start: weights to begin with.
        goal: what the distance is to.
        rate: η.
        near: the distance that is near.
    """
    weights, found = start, [float(np.linalg.norm(start - goal))]
    while found[-1] > near and len(found) <= MOST_STEPS:
        weights = weights - rate * loss.gradient(weights)
        found.append(float(np.linalg.norm(weights - goal)))
    return found


def sgd_distances(loss: LogisticLoss, start: Values, point: Values, steps: Sequence[int], seed: int) -> Values:
    """The squared distance to a point after some numbers of steps of SGD with the rate 1/(μ·t), t counted from 1.

    Args:
        loss: what is minimised; each step draws one sample.
        start: weights to begin with.
        point: what the distance is to.
        steps: in ascending order, above 0.
        seed: of the draws.
    """
    draws = generator(seed, "convex sgd").integers(len(loss.samples), size=steps[-1])
    weights, found = start, []
    for step, index in enumerate(draws.tolist(), 1):
        weights = weights - loss.sample_gradient(weights, index) / (loss.convexity * step)
        if step in steps:
            found.append(float(((weights - point) ** 2).sum()))
    return np.array(found)
