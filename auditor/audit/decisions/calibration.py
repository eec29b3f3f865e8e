"""How ratios and spreads come out when everybody is benign, by simulation.

The reference clique is selected for being tight, so that even a benign provider lies a little further from it
than its members from one another, and the spread within the group that agrees best is a little too small. Both
effects depend on n and r·n alone when log distances are independent normal draws: medians of logarithms move
and scale with their location and spread. A few hundred simulated matrices tell how large they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from auditor.audit.decisions.clique import tightest, within
from auditor.audit.decisions.distances import Distances
from auditor.plugins.randomness import generator

SIMULATIONS = 400
"""For up to ten providers; a quarter for more, where each takes longer and medians vary less."""
SPREAD = 0.05
"""The spread that is simulated; any small one gives the same constants."""


@dataclass(frozen=True)
class Calibration:
    """What to expect of benign providers, in units of the true spread of log distances.

    Attributes:
        location: mean of log ratio.
        scale: standard deviation of log ratio.
        shrinkage: root mean square of the spread measured within the group that agrees best.
    """

    location: float
    scale: float
    shrinkage: float


@lru_cache(maxsize=64)
def calibrate(participants: int, benign: int) -> Calibration:
    """Constants for n providers of which `benign` agree, all in fact benign; takes under a second at n = 16."""
    draws = generator(0, f"calibration {participants} {benign}")
    ratios, variances = [], []
    for _ in range(SIMULATIONS if participants <= 10 else SIMULATIONS // 4):
        values = _benign_matrix(participants, draws)
        ratios.append(log_ratio(values, 0, benign)[0] / SPREAD)
        group = tightest(values, range(participants), benign)
        if len(group) >= 3:
            variances.append(np.log(within(values, group)).var(ddof=1) / SPREAD**2)
    shrinkage = float(np.mean(variances)) ** 0.5 if variances else 1.0
    return Calibration(float(np.mean(ratios)), float(np.std(ratios, ddof=1)), shrinkage)


def log_ratio(values: Distances, judged: int, benign: int) -> tuple[float, tuple[int, ...]]:
    """The logarithm of the reference-clique ratio of one provider, and the clique; needs two others at least."""
    others = [index for index in range(len(values)) if index != judged]
    clique = tightest(values, others, max(2, benign - 1))
    to, among = values[judged, list(clique)], within(values, clique)
    tiny = np.finfo(np.float64).tiny
    logs = [float(np.log(max(np.median(part), tiny))) for part in (to, among)]
    return logs[0] - logs[1], clique


def _benign_matrix(participants: int, draws: np.random.Generator) -> Distances:
    values = np.zeros((participants, participants))
    rows, columns = np.triu_indices(participants, 1)
    values[rows, columns] = np.exp(SPREAD * draws.standard_normal(len(rows)))
    return np.asarray(values + values.T)
