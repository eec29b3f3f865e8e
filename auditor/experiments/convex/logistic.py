"""Regularised multinomial logistic regression: its loss, its derivatives, and its exact minimiser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

Values = NDArray[np.float64]
Labels = NDArray[np.int64]

GRADIENT_NORM = 1e-11
"""Of the gradient at what counts as the minimiser: it is then within this over μ of the true one."""

MAX_ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class LogisticLoss:
    """The mean cross-entropy of softmax(x·W) over samples, and (μ/2)·‖W‖², for weights W of shape [features, classes].

    It is μ-strongly convex. Its Hessian is at most L = λ/2 + μ, with λ the largest eigenvalue of XᵀX/n: the Hessian of
    the cross-entropy in the outputs is diag(p) − ppᵀ, which is at most 1/2 (Böhning, 1992).

    Attributes:
        samples: float64 [n, features].
        labels: int64 [n].
        classes: how many there are.
        convexity: μ, above 0.
    """

    samples: Values
    labels: Labels
    classes: int
    convexity: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of the weights."""
        return self.samples.shape[1], self.classes

    @cached_property
    def smoothness(self) -> float:
        """L: no eigenvalue of the Hessian is above it, anywhere."""
        largest = float(np.linalg.eigvalsh(self.samples.T @ self.samples / len(self.samples))[-1])
        return largest / 2 + self.convexity

    @cached_property
    def radius(self) -> float:
        """The norm of the longest sample."""
        return float(np.linalg.norm(self.samples, axis=1).max())

    def value(self, weights: Values) -> float:
        """The loss."""
        outputs = self.samples @ weights
        fitted = logsumexp(outputs, axis=1) - outputs[np.arange(len(outputs)), self.labels]
        return float(fitted.mean()) + self.convexity / 2 * float((weights**2).sum())

    def gradient(self, weights: Values) -> Values:
        """Its gradient, of the shape of the weights."""
        return self.samples.T @ self._errors(weights, self.samples, self.labels) / len(self.samples) + (
            self.convexity * weights
        )

    def sample_gradient(self, weights: Values, index: int) -> Values:
        """The gradient of one sample's cross-entropy and of the penalty."""
        row = slice(index, index + 1)
        errors = self._errors(weights, self.samples[row], self.labels[row])
        return self.samples[row].T @ errors + self.convexity * weights

    def hessian(self, weights: Values) -> Values:
        """Its Hessian, [features·classes, features·classes], features outermost."""
        features, classes = self.shape
        odds = _softmax(self.samples @ weights)
        found = np.zeros((features, classes, features, classes))
        for one in range(classes):
            for other in range(one, classes):
                each = odds[:, one] * (float(one == other) - odds[:, other])
                block = (self.samples * each[:, None]).T @ self.samples / len(self.samples)
                found[:, one, :, other] = found[:, other, :, one] = block
        return found.reshape(features * classes, -1) + self.convexity * np.eye(features * classes)

    def predictions(self, weights: Values, samples: Values) -> Labels:
        """The class with the largest output for each sample."""
        return np.asarray(np.argmax(samples @ weights, axis=1), dtype=np.int64)

    def _errors(self, weights: Values, samples: Values, labels: Labels) -> Values:
        odds = _softmax(samples @ weights)
        odds[np.arange(len(labels)), labels] -= 1
        return odds


@dataclass(frozen=True, eq=False)
class MixedLoss:
    """(1 − ε)·benign + ε·poison: what training on data with a share ε of poisoned samples minimises.

    Attributes:
        benign: ℓ_b.
        poison: ℓ_p.
        ratio: ε.
    """

    benign: LogisticLoss
    poison: LogisticLoss
    ratio: float

    @property
    def convexity(self) -> float:
        """(1 − ε)·μ_b + ε·μ_p."""
        return (1 - self.ratio) * self.benign.convexity + self.ratio * self.poison.convexity

    def value(self, weights: Values) -> float:
        """The loss."""
        return (1 - self.ratio) * self.benign.value(weights) + self.ratio * self.poison.value(weights)

    def gradient(self, weights: Values) -> Values:
        """Its gradient."""
        return (1 - self.ratio) * self.benign.gradient(weights) + self.ratio * self.poison.gradient(weights)

    def hessian(self, weights: Values) -> Values:
        """Its Hessian."""
        return (1 - self.ratio) * self.benign.hessian(weights) + self.ratio * self.poison.hessian(weights)


def minimiser(loss: LogisticLoss | MixedLoss, start: Values) -> Values:
    """The only minimiser, by Newton's method with steps that are halved until the loss falls.

    Args:
        loss: what to minimise.
        start: weights to begin with.

    Raises:
        ArithmeticError: it does not converge, which a strongly convex loss of finite samples always does.
    """
    weights = start
    for _ in range(MAX_ITERATIONS):
        gradient = loss.gradient(weights)
        if np.linalg.norm(gradient) <= GRADIENT_NORM:
            return weights
        step = cho_solve(cho_factor(loss.hessian(weights)), gradient.ravel()).reshape(weights.shape)
        size, now, falls = 1.0, loss.value(weights), float((gradient * step).sum())
        # Near the minimum the loss no longer tells steps apart; there whole steps converge.
        while size > 1e-6 and falls > 1e-12 and loss.value(weights - size * step) > now - 1e-4 * size * falls:
            size /= 2
        weights = weights - size * step
    raise ArithmeticError(f"the loss has no minimiser within {MAX_ITERATIONS} of Newton's steps.")


def _softmax(outputs: Values) -> Values:
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
