"""The ratio where every provider draws seeds of its own, so that honest models differ by how training scatters.

How near to 1 the ratio of a benign provider is depends on how much honest distances scatter. Their logarithms are
taken to have a spread s, estimated within the group of providers that agrees best, over this sub-run and those measured
before it. Two estimates are tried; of the p-values, which rise and fall together, the smaller is corrected for there
being two (Šidák). One is moderated by what is known of the metric beforehand (as variances of few samples are in Smyth,
2004, "Linear models and empirical Bayes methods"),

    s² = (ν₀·s₀² + Σ squares) / (ν₀ + ν),

and the better one where few distances have been seen. The other is that of the run alone, s² = Σ squares / ν, and the
better one where honest providers agree more closely than elsewhere: the spread of one metric differs by a factor of
thirty between a training at a large learning rate and one that settles.

The p-value is that of log(ratio) / s among benign providers (`calibration`). It depends on nothing that comes later,
so that evidence may be added up sub-run by sub-run (`evidence`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from auditor.audit.decisions.calibration import RUN_WEIGHT, calibrate, simulate
from auditor.audit.decisions.clique import tightest, within
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Judgement
from auditor.audit.decisions.scale import Scale, abstain, judge_by

USUAL_SPREAD = 0.5
"""s₀ where a metric does not tell its own: that of the metrics that scatter most."""


@dataclass(frozen=True)
class Seen:
    """What is known of the spread of one metric by now.

    Attributes:
        sub_runs: how many have been seen.
        squares: a sum of squares of log distances from their mean.
        observations: of how many observations.
    """

    sub_runs: int = 0
    squares: float = 0.0
    observations: float = 0.0

    def and_in(self, matrix: DistanceMatrix, assumptions: Assumptions) -> Seen:
        """With one more sub-run."""
        squares, observations = _squares(matrix, assumptions)
        return Seen(self.sub_runs + 1, self.squares + squares, self.observations + observations)


def judge_own_seeds(matrix: DistanceMatrix, assumptions: Assumptions, seen: Seen) -> list[Judgement]:
    """Judge every provider of one matrix.

    Args:
        matrix: the distances.
        assumptions: what the audit takes for granted.
        seen: what is known of the metric's spread, this matrix included.
    """
    distances = within(matrix.values, range(len(matrix.values)))
    if distances.size and distances.min() <= 0 < distances.max():
        return abstain(
            matrix,
            "some models are equal to the last bit and nobody has measured the metric's noise, so that nothing "
            "says how far apart honest ones may be",
        )
    return judge_by(_scales(matrix, assumptions, seen), matrix.values, matrix, assumptions)


def _scales(matrix: DistanceMatrix, assumptions: Assumptions, known: Seen) -> list[Scale]:
    """The spread moderated by what is known beforehand, and where there are enough distances, by themselves alone."""
    count = len(matrix.providers)
    benign = assumptions.benign(count)
    prior = RUN_WEIGHT * (matrix.spread or USUAL_SPREAD) ** 2
    moderated = math.sqrt((prior + known.squares) / (RUN_WEIGHT + known.observations))
    scales = [Scale(moderated, calibrate(count, benign, known.sub_runs, RUN_WEIGHT))]
    if known.observations and known.squares > 0:
        own = math.sqrt(known.squares / known.observations)
        scales.append(Scale(own, calibrate(count, benign, known.sub_runs, 0.0)))
    return scales


def _squares(matrix: DistanceMatrix, assumptions: Assumptions) -> tuple[float, float]:
    """How much log distances scatter in the group that agrees best: a sum of squares, and of how many observations."""
    count = len(matrix.providers)
    benign = assumptions.benign(count)
    group = tightest(matrix.values, range(count), benign)
    distances = within(matrix.values, group)
    if len(group) < 3 or distances.min() <= 0:
        return 0.0, 0.0
    # Distances that share a server are not independent: a group of g servers counts as g − 1 observations.
    weight = len(group) - 1
    return float(np.log(distances).var(ddof=1)) / simulate(count, benign).shrinkage * weight, weight
