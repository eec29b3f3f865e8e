"""From many judgements of a provider to one p-value, without raising its false alarms.

A provider may deviate once or always. Two tests look for either: the smallest p-value of its sub-runs
(Bonferroni), and the sum of their evidence (Stouffer). Each metric gives both, and all of them share the
false-alarm rate, so that a benign provider is flagged with at most that probability in a whole run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from auditor.audit.decisions.distances import Judgement

_NORMAL = NormalDist()
_TINY = 1e-15
"""No p-value is taken for smaller: the tails of no distribution are known so far out."""


def threshold(false_alarm_rate: float, sub_runs: int, metrics: int) -> float:
    """The p-value under which one judgement by itself flags a provider."""
    return false_alarm_rate / (2 * sub_runs * metrics)


def combined_p_value(judgements: Sequence[Judgement], metrics: int) -> float | None:
    """One p-value from all judgements of one provider; None when no judgement has one.

    Args:
        judgements: of one provider, over sub-runs and metrics.
        metrics: how many metrics the audit uses, also those that could not tell.
    """
    tests: list[float] = []
    for metric in dict.fromkeys(judgement.metric for judgement in judgements):
        p_values = [one.p_value for one in judgements if one.metric == metric and one.p_value is not None]
        if p_values:
            tests += [min(p_values) * len(p_values), stouffer(p_values)]
    if not tests:
        return None
    return min(1.0, min(tests) * 2 * metrics)


def stouffer(p_values: Sequence[float]) -> float:
    """The p-value of the sum of the normal scores of independent p-values (Stouffer, 1949)."""
    scores = [-_NORMAL.inv_cdf(min(max(p_value, _TINY), 1 - _TINY)) for p_value in p_values]
    return 1 - _NORMAL.cdf(sum(scores) / math.sqrt(len(scores)))
