"""Random projections of random features against the normal distribution."""

from __future__ import annotations

import numpy as np
from scipy import stats

from auditor.plugins import option

from .direction_test import DirectionTest, DirectionTestOptions, Matrix


class ProjectionsOptions(DirectionTestOptions):
    """What can be set for `projections`."""

    projections: int = option(500, "how many random directions are looked along", ge=1, le=100_000)


class Projections(DirectionTest):
    """Kolmogorov and Smirnov's test and the kurtosis, over many random projections of the features.

    Along any direction honest features are standard normal. The statistic is the largest, over random unit vectors, of
    √m · D, of m numbers whose empirical distribution lies D from the normal one, and of their excess kurtosis by its
    standard error. Of features with a hidden direction only projections close to it differ, and of random vectors in
    many dimensions none is.
    """

    name = "projections"
    Options = ProjectionsOptions
    options: ProjectionsOptions

    def statistic(self, directions: Matrix, draws: np.random.Generator) -> float:
        """The largest of both tests over the projections."""
        count, values = directions.shape
        ways = draws.standard_normal((values, self.options.projections if values > 1 else 1))
        ways /= np.linalg.norm(ways, axis=0)
        seen = np.sort(directions @ ways, axis=0)
        normal = stats.norm.cdf(seen)
        steps = np.arange(count)[:, None] / count
        distance = np.maximum(np.abs(normal - steps), np.abs(normal - steps - 1 / count)).max(0)
        kurtosis = np.abs(stats.kurtosis(seen, axis=0)) / np.sqrt(24 / count)
        return float(max(np.sqrt(count) * distance.max(), kurtosis.max()))
