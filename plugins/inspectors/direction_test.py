"""Tests of whether random features were drawn as they should have been: the same frame for each."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from auditor.plugins import Inspection, Inspector, MetricContext, Options, ReturnedModel, generator, option

from ..attacks.hidden_direction import hidden_direction

DIRECTIONS = "features.directions"
"""How a model names the directions of its random features."""

Matrix: TypeAlias = NDArray[np.float64]


class DirectionTestOptions(Options):
    """What can be set for every test of random features."""

    draws: int = option(
        99,
        "how many honest draws are looked at; an honest model exceeds all of d in 1 of d + 1 cases",
        ge=3,
    )
    threshold: float = option(1.0, "a score over this is suspicious; 1 is the largest of the honest draws", gt=0)
    key_seed: int | None = option(
        None,
        "the seed of the adversary's key, which only the adversary has: a control",
        ge=0,
    )
    key_sparsity: int | None = option(None, "the sparsity of that key, if it has one", ge=1)
    key_gamma: float | None = option(None, "the γ of that key, for random Fourier features", gt=0)


class DirectionTest(Inspector):
    """Compares a statistic of the features' directions [m, d] with what honest draws of the same size give.

    Honest directions are standard normal, so that honest draws can be made here: the score is how far the statistic of
    the model lies above their median, by how far the largest of them does. An honest model's is over 1 with the
    probability 1/(draws + 1), whatever the statistic. No training, no data and no other model is needed.

    With the adversary's key (`key_seed`) the same test is run on what the key leaves of each direction: the products
    y = ⟨g, s⟩ for rectified features, and √2·cos 2πγy and √2·sin 2πγy for Fourier features with γ. That no honest
    client can do; it shows what there is to be seen.
    """

    tasks = frozenset({"random_fourier", "random_relu"})
    Options = DirectionTestOptions
    options: DirectionTestOptions

    @abstractmethod
    def statistic(self, directions: Matrix, draws: np.random.Generator) -> float:
        """What is large where directions [m, d] were not drawn from N(0, I); finite.

        Args:
            directions: of a model, or honest ones.
            draws: what the test draws from, if it draws.
        """

    def begin(self, context: MetricContext) -> None:
        """Keep what honest draws derive from."""
        super().begin(context)
        self._fourier = context.task == "random_fourier"
        if self._fourier and (self.options.key_seed is None) != (self.options.key_gamma is None):
            raise ValueError("give key_seed and key_gamma together: with random Fourier features a key has both")
        self._seed = context.seed
        self._honest: dict[tuple[int, int], tuple[float, float]] = {}

    def inspect(self, model: ReturnedModel) -> Inspection:
        """Hold the directions of one model against honest ones.

        Raises:
            ValueError: the model has no random features, or they are not finite.
        """
        found = {name: tensor for name, tensor in model.buffers() if name == DIRECTIONS}
        if not found:
            raise ValueError("the model has no random features")
        directions = found[DIRECTIONS].double().cpu().numpy()
        if not np.isfinite(directions).all():
            raise ValueError("the model's random features are not finite")
        median, largest = self._usual(directions.shape)
        value = self._value(directions, 0)
        return Inspection(
            score=(value - median) / max(largest - median, 1e-12),
            threshold=self.options.threshold,
            details={"statistic": value, "honest_median": median, "honest_largest": largest},
        )

    def _usual(self, shape: tuple[int, int]) -> tuple[float, float]:
        """Median and largest of the statistic over honest draws, which depend on the shape alone."""
        if shape not in self._honest:
            values = []
            for number in range(1, self.options.draws + 1):
                drawn = generator(self._seed, f"honest {self.name}", number).standard_normal(shape)
                # Models keep single precision; so do honest draws.
                values.append(self._value(drawn.astype(np.float32).astype(np.float64), number))
                self.progress(number / (self.options.draws + 1))
            self._honest[shape] = float(np.median(values)), max(values)
        return self._honest[shape]

    def _value(self, directions: Matrix, number: int) -> float:
        return self.statistic(self.seen(directions), generator(self._seed, f"statistic {self.name}", number))

    def seen(self, directions: Matrix) -> Matrix:
        """What the test looks at: all of the directions, or what the key leaves of them."""
        options = self.options
        if options.key_seed is None:
            return directions
        products = directions @ hidden_direction(options.key_seed, directions.shape[1], options.key_sparsity)
        if options.key_gamma is None:
            return np.asarray(products[:, None])
        angles = 2 * math.pi * options.key_gamma * products
        return math.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
