"""The spectrum of random features against that of honest draws."""

from __future__ import annotations

import numpy as np

from .direction_test import DirectionTest, Matrix


class Spectrum(DirectionTest):
    """The largest eigenvalue of the features' second moments.

    The eigenvalues of GᵀG/m, of m standard normal directions in d dimensions, follow Marchenko and Pastur (1967): they
    lie within (1 ± √(d/m))². A spike θ shows as an eigenvalue outside only where θ > √(d/m) (Baik, Ben Arous and Péché,
    2005). The smallest eigenvalue is looked at likewise: the statistic is whichever lies farther outside, by the width
    of the law.
    """

    name = "spectrum"

    def statistic(self, directions: Matrix, draws: np.random.Generator) -> float:
        """How far an eigenvalue lies outside the law, in widths of the law."""
        count, values = directions.shape
        small = min(count, values)
        # The eigenvalues that are not zero are those of the smaller of GᵀG and GGᵀ.
        product = directions.T @ directions if values == small else directions @ directions.T
        eigenvalues = np.linalg.eigvalsh(product / count)
        ratio = np.sqrt(values / count)
        low, high = (1 - ratio) ** 2, (1 + ratio) ** 2
        return float(max(eigenvalues[-1] - high, low - eigenvalues[0]) / (high - low))
