"""Matrices of distances whose truth is known, and what rules say of them."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix, Judgement

Values = NDArray[np.float64]


def lognormal(
    n: int, far: tuple[int, ...], draws: np.random.Generator, spread: float = 0.05, factor: float = 2.5
) -> Values:
    """Distances around 1 among the benign; those of each far server larger by `factor` and more spread."""
    values = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        apart = i in far or j in far
        scale = factor * (1.6 if i in far and j in far else 1.0) if apart else 1.0
        values[i, j] = values[j, i] = scale * math.exp((4 * spread if apart else spread) * draws.standard_normal())
    return values


def servers(n: int, draws: np.random.Generator, spread: float) -> Values:
    """Honest distances as they are measured: a server that took another turn lies further from all."""
    own = draws.standard_normal(n) * math.sqrt(0.4)
    values = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        noise = own[i] + own[j] + math.sqrt(0.2) * draws.standard_normal()
        values[i, j] = values[j, i] = math.exp(spread * noise)
    return values


def matrix(values: Values, *, sub_run: int = 0, metric: str = "update", floor: float | None = None) -> DistanceMatrix:
    return DistanceMatrix(sub_run, metric, tuple(f"p{index}" for index in range(len(values))), values, floor)


def assume(benign: float, seeds: Seeds = Seeds.OWN, alarm: float = 0.01) -> Assumptions:
    return Assumptions(benign, seeds, alarm)


def p_values(judgements: list[Judgement]) -> dict[str, float | None]:
    return {one.provider: one.p_value for one in judgements}


def low(judgements: list[Judgement], limit: float) -> set[str]:
    return {one.provider for one in judgements if one.p_value is not None and one.p_value < limit}
