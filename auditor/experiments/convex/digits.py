"""Digits as the features of a logistic regression, with and without a trigger."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np

from auditor.base.randomness import generator
from auditor.experiments.convex.logistic import Labels, LogisticLoss, Values

CLASSES = 10
WHITE = 16.0
PATCH = 2
"""The side of the trigger in pixels, in the corner at the bottom right, as that of BadNets."""


def losses(
    samples: int, target: int, convexity: float, poison_convexity: float, seed: int
) -> tuple[LogisticLoss, LogisticLoss]:
    """The benign and the poison loss.

    Features are pixels less their means and a constant, all divided by the norm of the longest benign sample. Poisoned
    samples are the same digits with a white patch, labelled with the target.

    Args:
        samples: how many digits.
        target: the class of poisoned ones.
        convexity: μ of the benign loss.
        poison_convexity: μ of the poison loss.
        seed: decides which digits.
    """
    images, labels = _digits()
    chosen = generator(seed, "convex digits").permutation(len(images))[:samples]
    clean, poisoned = images[chosen], images[chosen].copy()
    poisoned[:, -PATCH:, -PATCH:] = WHITE
    means = clean.mean(axis=0)
    features, marked = _features(clean - means), _features(poisoned - means)
    scale = float(np.linalg.norm(features, axis=1).max())
    return (
        LogisticLoss(features / scale, labels[chosen], CLASSES, convexity),
        LogisticLoss(marked / scale, np.full(len(chosen), target), CLASSES, poison_convexity),
    )


def _features(images: Values) -> Values:
    pixels = images.reshape(len(images), -1) / WHITE
    return np.concatenate([pixels, np.ones((len(images), 1))], axis=1)


def _digits() -> tuple[Values, Labels]:
    with as_file(files("auditor.tasks.data") / "digits.npz") as path, np.load(path, allow_pickle=False) as data:
        return data["images"].astype(np.float64), data["labels"].astype(np.int64)
