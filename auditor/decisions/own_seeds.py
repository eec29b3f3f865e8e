"""The ratio where every provider draws its own seeds, so that honest models differ by how training scatters.

One sub-run by itself says little then. Honest training takes another turn now and then, settles in another basin, or
scatters more on one machine than on another: such a model lies two to two and a half times as far from the others as
these lie apart, and is benign. So a ratio up to `ALLOWANCE` says nothing. Beyond it,

    p = P(T > (ln ratio − ln ALLOWANCE) / s),   T Student-distributed with `TAIL` degrees of freedom,

with s the spread of log distances, estimated within the group of providers that agrees best, over this sub-run and
those measured before it, and moderated by what is known of the metric beforehand (as variances of few samples are in
Smyth, 2004, "Linear models and empirical Bayes methods"),

    s² = (ν₀·s₀² + Σ squares) / (ν₀ + ν).

With three providers no group has three members, and s stays s₀. The constants were chosen on simulated noise
(`tests/bench/calibration.py`), not on trained models. What adds up over sub-runs is the direction (`direction`), which
needs no such constants; ratios are not added up.

Two models that are equal, or nearly, although each provider drew its own seeds are a finding about these two. It must
not spoil the others' judgement, which a distance of 0 within the reference would. So the others are judged with one of
the two, each of the two without the other, and the judgements of both say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from auditor.decisions.agreement import AgreementDecision
from auditor.decisions.calibration import Calibration, shrinkage
from auditor.decisions.clique import tightest, within
from auditor.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement
from auditor.decisions.scale import Scale, judge_by

USUAL_SPREAD = 0.5
"""s₀ where a metric does not tell its own: that of the metrics that scatter most."""
RUN_WEIGHT = 4.0
"""ν₀: how many observations the spread that is known beforehand is worth."""
ALLOWANCE = 2.5
"""A benign model may lie this many times as far off: one of three times the scatter does, √((3² + 1²) / 2) = 2.2."""
TAIL = 3.0
"""Degrees of freedom of turns beyond it."""
LEAST_SPREAD = 0.15
"""s is not taken for smaller: what agreed closely so far says little of a turn to come."""
TWINS = 1e-3
"""Two models are nearly equal if their distance is at most this fraction of the median distance."""


@dataclass(frozen=True)
class Seen:
    """What is known of the spread of one metric by now.

    Attributes:
        squares: a sum of squares of log distances from their mean.
        observations: of how many observations.
    """

    squares: float = 0.0
    observations: float = 0.0

    def and_in(self, matrix: DistanceMatrix, assumptions: Assumptions) -> Seen:
        """With one more sub-run."""
        squares, observations = _squares(matrix, assumptions)
        return Seen(self.squares + squares, self.observations + observations)


def judge_own_seeds(matrix: DistanceMatrix, assumptions: Assumptions, seen: Seen) -> list[Judgement]:
    """Judge every provider of one matrix.

    Args:
        matrix: the distances.
        assumptions: what the audit takes for granted.
        seen: what is known of the metric's spread, this matrix included.
    """
    twins = nearly_equal(matrix.values)
    others = _without(matrix, twins)
    found = {judgement.provider: judgement for judgement in _judge(others, assumptions, seen)}
    for later, first in twins.items():
        # The same committee with the one in the other's place.
        swapped = {twin: kept for twin, kept in twins.items() if twin != later} | {first: later}
        alone = {judgement.provider: judgement for judgement in _judge(_without(matrix, swapped), assumptions, seen)}
        found[matrix.providers[later]] = alone[matrix.providers[later]]
    for later, first in twins.items():
        for row, twin_row in ((later, first), (first, later)):
            name, twin = matrix.providers[row], matrix.providers[twin_row]
            note = f"returned nearly the same model as {twin} under {matrix.metric}, although each draws its own seeds"
            found[name] = replace(found[name], note=note)
    return [found[name] for name in matrix.providers]


def nearly_equal(values: Distances) -> dict[int, int]:
    """Rows that are nearly equal to one before them: each with the first that it is equal to."""
    apart = within(values, range(len(values)))
    close = TWINS * float(np.median(apart)) if apart.size else 0.0
    if apart.size and close == 0 < apart.max():  # more than half are equal
        close = TWINS * float(apart.max())
    found: dict[int, int] = {}
    if not close > 0:
        return found
    for row in range(len(values)):
        for before in range(row):
            if before not in found and values[row, before] <= close:
                found[row] = before
                break
    return found


def _without(matrix: DistanceMatrix, left_out: Sequence[int] | dict[int, int]) -> DistanceMatrix:
    kept = [index for index in range(len(matrix.providers)) if index not in left_out]
    names = tuple(matrix.providers[index] for index in kept)
    return replace(matrix, providers=names, values=matrix.values[np.ix_(kept, kept)])


def _judge(matrix: DistanceMatrix, assumptions: Assumptions, seen: Seen) -> list[Judgement]:
    if len(matrix.providers) < 2:
        return [Judgement(matrix.sub_run, matrix.metric, name, None, None, ()) for name in matrix.providers]
    if len(matrix.providers) == 2:
        return AgreementDecision().judge([matrix], assumptions)
    spread = _spread(matrix, seen)
    judged = judge_by([scale_of(spread)], matrix.values, matrix, assumptions)
    return [
        judgement if judgement.ratio is None or judgement.ratio > ALLOWANCE else replace(judgement, p_value=1.0)
        for judgement in judged
    ]


def scale_of(spread: float) -> Scale:
    """What log ratios are measured by where log distances scatter by `spread`."""
    return Scale(spread, Calibration(math.log(ALLOWANCE) / spread, 1.0, TAIL))


def scale_behind(ratio: float, p_value: float) -> Scale | None:
    """The scale by which a ratio got its p-value; None where many scales give the same."""
    from scipy.special import stdtrit

    if not (ratio > ALLOWANCE and 0 < p_value < 0.5):
        return None
    return scale_of((math.log(ratio) - math.log(ALLOWANCE)) / -float(stdtrit(TAIL, p_value)))


def _spread(matrix: DistanceMatrix, known: Seen) -> float:
    """The spread moderated by what is known beforehand."""
    prior = RUN_WEIGHT * (matrix.spread or USUAL_SPREAD) ** 2
    return max(LEAST_SPREAD, math.sqrt((prior + known.squares) / (RUN_WEIGHT + known.observations)))


def _squares(matrix: DistanceMatrix, assumptions: Assumptions) -> tuple[float, float]:
    """How much log distances scatter in the group that agrees best: a sum of squares, and of how many observations."""
    count = len(matrix.providers)
    benign = assumptions.benign(count)
    group = tightest(matrix.values, range(count), benign)
    distances = within(matrix.values, group)
    if len(group) < 3 or distances.min() <= 0 or len(nearly_equal(matrix.values)):
        return 0.0, 0.0
    # Distances that share a provider are not independent: a group of g providers counts as g − 1 observations.
    weight = len(group) - 1
    return float(np.log(distances).var(ddof=1)) / shrinkage(count, benign) * weight, weight
