"""Distances among benign providers, by simulation.

Distances between benign providers are not independent: a model that took another turn lies further from all the
others. Measured on digits (ResNet-8, seven metrics, eight sub-runs), 40 to 94 % of the variance of log distances
belongs to the providers. So they are simulated as

    ln d_ij = σ · (√(ρ/2)·(a_i + a_j) + √(1 − ρ)·e_ij)

with independent e, standard normal, and a, Student-distributed with few degrees of freedom and variance 1, because
now and then an honest training takes quite another turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from auditor.base.randomness import generator
from auditor.decisions.clique import tightest, within
from auditor.decisions.distances import Distances

PROVIDER_SHARE = 0.9
"""ρ: the share of the variance of log distances that belongs to providers."""
TURNS = 3.0
"""Degrees of freedom of the providers' own turns."""
MATRICES = 3000
"""Simulated matrices for up to twelve providers; fewer for more, where each takes longer and medians vary less."""
_SPREAD = 0.02
"""What matrices are simulated with; logarithms only scale with it."""


@dataclass(frozen=True)
class Calibration:
    """What to expect of a benign provider.

    Attributes:
        location: median of log ratio over spread.
        scale: of the Student distribution above it.
        tail: its degrees of freedom.
    """

    location: float
    scale: float
    tail: float


@lru_cache(maxsize=64)
def shrinkage(participants: int, benign: int) -> float:
    """The variance of log distances within the group of `benign` that agrees best, where it is 1 among all n.

    The group is selected for being tight, so that it scatters less.
    """
    variances = [
        np.log(within(values, tightest(values, range(participants), benign))).var(ddof=1) / _SPREAD**2
        for values in benign_matrices(participants, f"calibration {participants} {benign}")
    ]
    return float(np.mean(variances))


def benign_matrices(participants: int, purpose: str) -> Iterator[Distances]:
    """Distances among n benign providers, simulated; see the module.

    Args:
        participants: n.
        purpose: what for; each purpose has different draws.
    """
    draws = generator(0, purpose)
    rows, columns = np.triu_indices(participants, 1)
    for _ in range(MATRICES if participants <= 12 else MATRICES // 3):
        turns = draws.standard_t(TURNS, participants) * np.sqrt((TURNS - 2) / TURNS)
        own = np.sqrt(PROVIDER_SHARE / 2) * turns
        pairs = np.sqrt(1 - PROVIDER_SHARE) * draws.standard_normal(len(rows))
        values = np.zeros((participants, participants))
        values[rows, columns] = np.exp(_SPREAD * (own[rows] + own[columns] + pairs))
        yield values + values.T
