"""How rarely the evidence against a benign provider adds up to so much, where the number of sub-runs is known.

The evidence against a provider after t of m sub-runs is S_t = z_1 + … + z_t, which for a benign one is the sum of
independent standard normal draws, or less. It is held against

    b_t = C·√m·(t/m)^Δ

after every sub-run, and p is the probability that the sum of honest draws ever reaches the boundary that S has
reached. Δ lies between a boundary that looks early (1/2) and one that saves nearly all for the end (0), and at 1/4
loses little to either (Wang and Tsiatis, 1987, "Approximately optimal one-parameter boundaries for group sequential
trials", Biometrics 43). The probability comes from recursive integration over the sums that have not crossed yet
(Armitage, McPherson and Rowe, 1969, "Repeated significance tests on accumulating data", section 2).

Draws are independent where everybody draws new seeds in every sub-run. What a provider has at all times, such as its
hardware, is not: where that shows, sums say nothing (`evidence`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SHAPE = 0.25
"""Δ."""
DENSITY = 1.25
"""Points of the integration over each sum per unit of it; twice as many change no p-value by a thousandth."""
REACH = 6.0
"""Sums that lie further below zero, in standard deviations, are left out: they cross nothing."""
HIGHEST = 9.0
"""Largest C that is told apart; its p-value is below 1e-18 for any m."""
STEP = 0.01
"""C is rounded down to it, so that few are computed; p comes out at most C hundredths of itself too large."""


def p_value_of_sums(deviations: Sequence[float], sub_runs: int) -> float:
    """How likely the sums of a benign provider ever reach as high a boundary.

    Args:
        deviations: z of each judged sub-run so far, in order; those beyond `sub_runs` are left out.
        sub_runs: m.
    """
    if not deviations:
        return 1.0
    sums = np.cumsum(deviations[:sub_runs])
    looks = np.arange(1, len(sums) + 1)
    reached = float(np.max(sums / (math.sqrt(sub_runs) * (looks / sub_runs) ** SHAPE)))
    if reached <= 0:
        return 1.0
    return crossing_probability(math.floor(min(reached, HIGHEST) / STEP) * STEP, sub_runs)


@lru_cache(maxsize=4096)
def crossing_probability(height: float, sub_runs: int) -> float:
    """The probability that one of the sums of 1, 2, … m standard normal draws reaches the boundary.

    Args:
        height: C.
        sub_runs: m.
    """
    from scipy.special import ndtr

    boundary = height * math.sqrt(sub_runs) * (np.arange(1, sub_runs + 1) / sub_runs) ** SHAPE
    crossed = float(ndtr(-boundary[0]))
    sums, weights = _nodes(1, float(boundary[0]))
    density = _normal(sums)
    for look in range(1, sub_runs):
        crossed += float(weights * density @ ndtr(sums - boundary[look]))
        further, next_weights = _nodes(look + 1, float(boundary[look]))
        density = _normal(further[:, None] - sums[None, :]) @ (weights * density)
        sums, weights = further, next_weights
    return min(1.0, crossed)


def _nodes(look: int, below: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the density of sums that have not crossed is known after so many draws, with Gauss-Legendre weights."""
    lowest = -REACH * math.sqrt(look)
    points, weights = _quadrature(16 * math.ceil(max(32.0, DENSITY * (below - lowest)) / 16))
    half = (below - lowest) / 2
    return lowest + half * (points + 1), half * weights


@lru_cache(maxsize=64)
def _quadrature(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from numpy.polynomial.legendre import leggauss

    points, weights = leggauss(count)
    return points, weights


def _normal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-values * values / 2) / math.sqrt(2 * math.pi))
