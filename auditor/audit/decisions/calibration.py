"""How the studentised ratio comes out when everybody is benign, by simulation.

Distances between benign providers are not independent: a model that took another turn lies further from all the
others. Measured on digits (ResNet-8, seven metrics, eight sub-runs), 40 to 94 % of the variance of log distances
belongs to the servers. So they are simulated as

    ln d_ij = σ · (√(ρ/2)·(a_i + a_j) + √(1 − ρ)·e_ij)

with independent e, standard normal, and a, Student-distributed with few degrees of freedom and variance 1, because
now and then an honest training takes quite another turn; with the spread of every sub-run drawn around that of its
run, and that of the run around what is known beforehand: σ_run² = ν₀·s₀²/χ²(ν₀) and σ² = σ_run²·ν₁/χ²(ν₁).

What comes out is the distribution of log ratio over estimated spread (`ratio`), with everything that makes it wider
than a normal one: the reference clique is selected for being tight, the spread is measured in the group that agrees
best and from few distances, and a server's own turn moves all of its distances alike. A Student distribution is laid
through its upper quantiles. All is in units of s₀.

The constants were chosen on the same digits, so that about a share α of honest judgements is at most α;
`docs/results.md` tells how they do elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from auditor.audit.decisions.clique import log_ratio, tightest, within
from auditor.audit.decisions.distances import Distances
from auditor.plugins.randomness import generator

SERVER_SHARE = 0.9
"""ρ: the share of the variance of log distances that belongs to servers."""
TURNS = 3.0
"""Degrees of freedom of the servers' own turns."""
RUN_WEIGHT = 4.0
"""ν₀: how many observations the spread that is known beforehand is worth."""
SUB_RUN_WEIGHT = 6.0
"""ν₁: how alike the spreads of the sub-runs of one run are, likewise."""
MATRICES = 3000
"""Simulated matrices for up to twelve providers; fewer for more, where each takes longer and medians vary less."""
DRAWS = 60_000
"""Draws of the studentised ratio that quantiles are taken from."""
_SPREAD = 0.02
"""What matrices are simulated with; logarithms only scale with it."""
_UPPER = (0.5, 0.9, 0.99, 0.999)
"""The quantiles that the Student distribution is laid through; the last two decide its tail."""


@dataclass(frozen=True)
class Calibration:
    """What to expect of a benign provider.

    Attributes:
        location: median of log ratio over estimated spread.
        scale: of the Student distribution above it.
        tail: its degrees of freedom.
    """

    location: float
    scale: float
    tail: float


@dataclass(frozen=True)
class Simulated:
    """Sub-runs with benign providers only, whose log distances have a standard deviation of 1.

    Attributes:
        log_ratios: float [S, n], of every provider in each.
        variances: float [S], of log distances within the group that agrees best, divided by their mean.
        shrinkage: that mean.
        observations: what the variance of one sub-run is worth; 0 where no group has three members.
    """

    log_ratios: Distances
    variances: Distances
    shrinkage: float
    observations: int


@lru_cache(maxsize=64)
def simulate(participants: int, benign: int) -> Simulated:
    """Matrices among n providers of which `benign` are counted on, all in fact benign."""
    ratios, variances = [], []
    for values in benign_matrices(participants, f"calibration {participants} {benign}"):
        group = tightest(values, range(participants), benign)
        ratios.append([log_ratio(values, judged, group)[0] / _SPREAD for judged in range(participants)])
        variances.append(np.log(within(values, group)).var(ddof=1) / _SPREAD**2 if len(group) >= 3 else 1.0)
    shrinkage = float(np.mean(variances))
    return Simulated(np.array(ratios), np.array(variances) / shrinkage, shrinkage, benign - 1 if benign >= 3 else 0)


@lru_cache(maxsize=256)
def calibrate(participants: int, benign: int, sub_runs: int, weight: float) -> Calibration:
    """The distribution of the studentised ratio of a benign provider.

    Args:
        participants: n.
        benign: how many of the n are counted on.
        sub_runs: how many have been seen, this one included.
        weight: ν₀. With 0 the spread is estimated from these sub-runs alone, and may be anything.
    """
    seen = simulate(participants, benign)
    draws = generator(1, f"calibration {participants} {benign} {sub_runs} {weight:g}")
    chosen = draws.integers(len(seen.log_ratios), size=(DRAWS, sub_runs))
    judged = seen.log_ratios[chosen[:, -1], draws.integers(participants, size=DRAWS)]
    run = weight / draws.chisquare(weight, size=(DRAWS, 1)) if weight else np.ones((DRAWS, 1))
    variance = run * SUB_RUN_WEIGHT / draws.chisquare(SUB_RUN_WEIGHT, size=(DRAWS, sub_runs))
    squares = seen.observations * (variance * seen.variances[chosen]).sum(axis=1)
    estimated = np.sqrt((weight + squares) / (weight + seen.observations * sub_runs))
    return _laid_through(np.sqrt(variance[:, -1]) * judged / estimated)


def _laid_through(statistics: Distances) -> Calibration:
    """The Student distribution with the same median and upper quantiles; a heavier tail where two would do."""
    from scipy.stats import t as student

    median, *upper = np.quantile(statistics, _UPPER)
    best = Calibration(float(median), float("inf"), 2.0)
    wanted = (upper[2] - median) / (upper[0] - median)
    for tail in (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0):
        quantiles = student.ppf(_UPPER[1:], tail)
        scale = float(np.max((np.array(upper) - median) / quantiles))
        if tail == 2.0 or quantiles[2] / quantiles[0] >= wanted:
            best = Calibration(float(median), scale, tail)
    return best


def benign_matrices(participants: int, purpose: str) -> Iterator[Distances]:
    """Distances among n benign providers, simulated; see the module.

    Args:
        participants: n.
        purpose: what for; each has draws of its own.
    """
    draws = generator(0, purpose)
    rows, columns = np.triu_indices(participants, 1)
    for _ in range(MATRICES if participants <= 12 else MATRICES // 3):
        turns = draws.standard_t(TURNS, participants) * np.sqrt((TURNS - 2) / TURNS)
        own = np.sqrt(SERVER_SHARE / 2) * turns
        pairs = np.sqrt(1 - SERVER_SHARE) * draws.standard_normal(len(rows))
        values = np.zeros((participants, participants))
        values[rows, columns] = np.exp(_SPREAD * (own[rows] + own[columns] + pairs))
        yield values + values.T
