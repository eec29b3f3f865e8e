"""The reference-clique ratio, judged by the spread among the reference providers.

The reference clique is the group of providers, as many as benign ones can be counted on, whose mutual distances are
smallest; without the judged provider, where it belongs to it. The ratio is the median distance of the judged provider
to them over the median distance among them. A benign provider is one more draw of the same kind, so that its ratio is
near 1.

How near depends on how much honest distances scatter. Their logarithms are taken to have a spread s, estimated
within the group of providers that agrees best, over this sub-run and those measured before it. Two estimates are tried;
of the p-values, which rise and fall together, the smaller is corrected for there being two (Šidák). One is moderated by
what is known of the metric beforehand (as variances of few samples are in Smyth, 2004, "Linear models and empirical
Bayes methods"),

    s² = (ν₀·s₀² + Σ squares) / (ν₀ + ν),

and the better one where few distances have been seen. The other is that of the run alone, s² = Σ squares / ν, and the
better one where honest providers agree more closely than elsewhere: the spread of one metric differs by a factor of
thirty between a training at a large learning rate and one that settles.

The p-value is that of log(ratio) / s among benign providers (`calibration`). It depends on nothing that comes later,
so that evidence may be added up sub-run by sub-run (`evidence`).

With the client's seeds the honest spread is numerical noise: differing processors round differently, and alike
ones do not differ at all. Nothing is estimated then; distances below the metric's measured noise floor count as
the floor, and the spread around it is taken for known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditor.audit.decisions.agreement import AgreementDecision
from auditor.audit.decisions.calibration import RUN_WEIGHT, Calibration, calibrate, simulate
from auditor.audit.decisions.clique import log_ratio, tightest, within
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement

USUAL_SPREAD = 0.5
"""s₀ where a metric does not tell its own: that of the metrics that scatter most."""

NUMERICAL_SPREAD, NUMERICAL_TAIL = 0.2, 30.0
"""With the client's seeds, noise of differing hardware scatters by tens of per cent around the floor."""


@dataclass(frozen=True)
class Scale:
    """What log ratios are measured by.

    Attributes:
        spread: s.
        expected: what log ratio over s is among benign providers.
    """

    spread: float
    expected: Calibration

    def p_value(self, logarithm: float) -> float:
        """How likely a benign provider has a log ratio so large."""
        from scipy.stats import t as student

        statistic = (logarithm / self.spread - self.expected.location) / self.expected.scale
        return float(student.sf(statistic, self.expected.tail))


@dataclass(frozen=True)
class _Seen:
    """What is known of the spread of one metric by now.

    Attributes:
        sub_runs: how many have been seen.
        squares: a sum of squares of log distances from their mean.
        observations: of how many observations.
    """

    sub_runs: int = 0
    squares: float = 0.0
    observations: float = 0.0

    def and_in(self, matrix: DistanceMatrix, assumptions: Assumptions) -> _Seen:
        """With one more sub-run."""
        squares, observations = _squares(matrix, assumptions)
        return _Seen(self.sub_runs + 1, self.squares + squares, self.observations + observations)


class RatioDecision:
    """See the module."""

    name = "ratio"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix, in the light of the matrices of the same metric before it."""
        judgements: list[Judgement] = []
        seen: dict[str, _Seen] = {}
        for matrix in matrices:
            if len(matrix.providers) < 3:  # the others failed, or there never were more
                judgements += AgreementDecision().judge([matrix], assumptions)
                continue
            if assumptions.randomness == "client":
                scales = [Scale(NUMERICAL_SPREAD, Calibration(0.0, 1.0, NUMERICAL_TAIL))]
            else:
                known = seen[matrix.metric] = seen.get(matrix.metric, _Seen()).and_in(matrix, assumptions)
                scales = _scales(matrix, assumptions, known)
            judgements += _judge(matrix, assumptions, scales)
        return judgements

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """0 with three participants or more: a ratio can be as large as one likes. Without a clique, 1."""
        return 0.0 if participants >= 3 else 1.0


def _scales(matrix: DistanceMatrix, assumptions: Assumptions, known: _Seen) -> list[Scale]:
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


def _judge(matrix: DistanceMatrix, assumptions: Assumptions, scales: Sequence[Scale]) -> list[Judgement]:
    count = len(matrix.providers)
    values, note = _comparable(matrix, assumptions)
    if note:
        return [
            Judgement(matrix.sub_run, matrix.metric, provider, None, None, (), note) for provider in matrix.providers
        ]
    benign = assumptions.benign(count)
    group = tightest(values, range(count), benign)
    judgements = []
    for index, provider in enumerate(matrix.providers):
        logarithm, clique = log_ratio(values, index, group)
        judgements.append(
            Judgement(
                matrix.sub_run,
                matrix.metric,
                provider,
                p_value=_smallest(min(scale.p_value(logarithm) for scale in scales), len(scales)),
                ratio=math.exp(min(logarithm, 700.0)),
                reference=tuple(matrix.providers[member] for member in clique),
            )
        )
    return judgements


def _smallest(p_value: float, tests: int) -> float:
    """The p-value of the smallest of so many (Šidák), which rise and fall together: 1 − (1 − p)^tests."""
    return -math.expm1(tests * math.log1p(-p_value)) if p_value < 1 else 1.0


def _comparable(matrix: DistanceMatrix, assumptions: Assumptions) -> tuple[Distances, str]:
    """The distances as they are compared; and why they cannot be, if they cannot."""
    values = matrix.values
    if assumptions.randomness == "client" and matrix.noise_floor is not None:
        raised = np.maximum(values, matrix.noise_floor)
        np.fill_diagonal(raised, 0.0)
        return raised, ""
    distances = within(values, range(len(values)))
    if distances.size and distances.min() <= 0 < distances.max():
        return values, (
            "some models are equal to the last bit and nobody has measured the metric's noise, so that nothing "
            "says how far apart honest ones may be"
        )
    return values, ""


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
