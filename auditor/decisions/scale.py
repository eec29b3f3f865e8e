"""What a log ratio is measured by, and the p-values of all providers of one matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.decisions.calibration import Calibration
from auditor.decisions.clique import log_ratio, tightest
from auditor.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement


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
        from scipy.special import stdtr

        statistic = (logarithm / self.spread - self.expected.location) / self.expected.scale
        return float(stdtr(self.expected.tail, -statistic))

    def ratio_at(self, p_value: float) -> float:
        """The ratio that has this p-value, between 0 and 1; a larger one has a smaller."""
        from scipy.special import stdtrit  # scipy.stats gives the same numbers, and takes a second to import

        quantile = -float(stdtrit(self.expected.tail, p_value)) if p_value > 0 else math.inf
        statistic = self.expected.location + self.expected.scale * quantile
        return math.exp(min(self.spread * statistic, 700.0))


def judge_by(
    scales: Sequence[Scale], values: Distances, matrix: DistanceMatrix, assumptions: Assumptions
) -> list[Judgement]:
    """Judge every provider by its log ratio, on whichever scale shows more.

    Args:
        scales: one or more.
        values: the distances as they are compared.
        matrix: whose they are.
        assumptions: what the audit takes for granted.
    """
    count = len(matrix.providers)
    group = tightest(values, range(count), assumptions.benign(count))
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


def abstain(matrix: DistanceMatrix, note: str) -> list[Judgement]:
    """No p-value for anybody, and why."""
    return [Judgement(matrix.sub_run, matrix.metric, provider, None, None, (), note) for provider in matrix.providers]


def _smallest(p_value: float, tests: int) -> float:
    """The p-value of the smallest of `tests` p-values that rise and fall together (Šidák): 1 − (1 − p)^tests."""
    return -math.expm1(tests * math.log1p(-p_value)) if p_value < 1 else 1.0
