"""From many judgements of a provider to one p-value that holds at any time.

An audit is looked at after every sub-run, may stop as soon as somebody is flagged, and may go on where it is
unsure. The p-value of a provider is therefore valid whenever it is looked at: the probability that that of a benign
provider ever falls to α is at most α (Ramdas, Grünwald, Vovk and Shafer, 2023, "Game-theoretic statistics and safe
anytime-valid inference", section 2). Two tests share α; also where there is one sub-run, which makes them the same,
for far out the p-values of single sub-runs are not exact (`docs/results.md`):

- one sub-run by itself, for a provider that deviates seldom and then plainly. The j-th judged sub-run may use the
  share w_j of α, and the shares sum to 1 (Bonferroni). With m sub-runs known beforehand each has 1/m; else
  w_j = c / ((c + j)(c + j − 1)) with c the number expected, which sums to 1 however many come.
- all sub-runs together, for a provider that deviates always and a little, with z_j = Φ⁻¹(1 − p_j) and
  S_t = z_1 + … + z_t. S_t is held against a boundary for m sums (`boundary`), or for the number that is expected.
  Where m is not known, half of this share goes to sums of any number, by the e-process

      E_t = ∫ exp(δ·S_t − t·δ²/2) π(dδ)

  with π half-normal of scale τ (the normal mixture of Robbins, 1970, one-sided). Under honest p-values E_t is a
  nonnegative supermartingale that starts at 1, so that it ever reaches 1/α with probability α at most (Ville, 1939).
  Those of several metrics are averaged, which needs no independence among them.

With the client's seeds there is the first test only, and its half of α. What honest providers differ by is then how
their hardware rounds, which is the same in every sub-run and would add up as well as any deviation.

Sub-runs are counted in the order in which they were measured, not in that of the training, so that what was found never
changes when an earlier one comes late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from auditor.audit.decisions.boundary import p_value_of_sums
from auditor.audit.decisions.distances import Judgement

_NORMAL = NormalDist()
_TINY = 1e-15
"""No p-value is taken for smaller: the tails of no distribution are known so far out."""
_LARGE = 600.0
"""The logarithm of E is cut off there, before it overflows."""

TAU = 1.0
"""τ: deviations of about one standard deviation a sub-run are looked for; larger ones are found by either test."""


@dataclass(frozen=True)
class Budget:
    """How the false-alarm rate is shared among sub-runs and metrics.

    Attributes:
        sub_runs: m; the expected number, if `exact` is false.
        exact: whether no more than m sub-runs can come.
        metrics: how many metrics the audit uses, also those that could not tell.
        adds_up: whether what benign providers deviate by in differing sub-runs is independent, so that sums tell.
    """

    sub_runs: int
    exact: bool
    metrics: int
    adds_up: bool = True

    def share(self, position: int) -> float:
        """w_j of the judged sub-run at `position`, counted from 0; none is left for more than m."""
        expected, number = max(1, self.sub_runs), position + 1
        if self.exact:
            return 1 / expected if number <= expected else 0.0
        return expected / ((expected + number) * (expected + number - 1))

    def threshold(self, false_alarm_rate: float, position: int = 0) -> float:
        """The p-value under which one judgement of that sub-run by itself flags a provider."""
        return false_alarm_rate * self.share(position) / (2 * self.metrics)


def combined_p_value(judgements: Sequence[Judgement], budget: Budget) -> float | None:
    """One p-value from all judgements of one provider so far; None when no judgement has one.

    Args:
        judgements: of one provider, over sub-runs and metrics, in the order in which they were measured.
        budget: how the false-alarm rate is shared.
    """
    told = [one for one in judgements if one.p_value is not None]
    if not told:
        return None
    sub_runs = list(dict.fromkeys(one.sub_run for one in told))
    alone = _of_one_alone(told, sub_runs, budget)
    return min(1.0, 2 * (min(alone, _of_all_together(told, sub_runs, budget)) if budget.adds_up else alone))


def log_evidence(p_values: Sequence[float]) -> float:
    """The logarithm of E_t, for the p-values of so many sub-runs under one metric."""
    total = sum(_deviation(p_value) for p_value in p_values)
    variance = 1 + len(p_values) * TAU**2
    exponent = (TAU * total) ** 2 / (2 * variance)
    reach = _NORMAL.cdf(TAU * total / math.sqrt(variance))
    return math.log(2) - math.log(variance) / 2 + exponent + math.log(max(reach, 1e-300))


def _deviation(p_value: float) -> float:
    """z: the deviate of a standard normal distribution that is as rare."""
    return -_NORMAL.inv_cdf(min(max(p_value, _TINY), 1 - _TINY))


def _of_one_alone(told: Sequence[Judgement], sub_runs: Sequence[int], budget: Budget) -> float:
    """The p-value of the sub-run and the metric that show most."""
    shares = {sub_run: budget.share(position) for position, sub_run in enumerate(sub_runs)}
    found = [max(one.p_value or 0.0, _TINY) / share for one in told if (share := shares[one.sub_run]) > 0]
    return budget.metrics * min(found, default=1.0)


def _of_all_together(told: Sequence[Judgement], sub_runs: Sequence[int], budget: Budget) -> float:
    """The p-value of the sums of the metric that shows most."""
    series: dict[str, list[float]] = {}
    for one in told:
        series.setdefault(one.metric, []).append(_deviation(one.p_value or 0.0))
    expected = max(1, budget.sub_runs)
    found = budget.metrics * min(p_value_of_sums(deviations, expected) for deviations in series.values())
    return found if budget.exact else 2 * min(found, 1 / _largest_evidence(told, sub_runs, budget.metrics))


def _largest_evidence(told: Sequence[Judgement], sub_runs: Sequence[int], metrics: int) -> float:
    """The largest mean over metrics of E_t that there has been; a metric that could not tell stays where it was."""
    seen: dict[str, list[float]] = {}
    by_sub_run: dict[int, list[Judgement]] = {}
    for one in told:
        by_sub_run.setdefault(one.sub_run, []).append(one)
    largest = 1.0
    for sub_run in sub_runs:
        for one in by_sub_run[sub_run]:
            seen.setdefault(one.metric, []).append(one.p_value or 0.0)
        evidence = [math.exp(min(log_evidence(p_values), _LARGE)) for p_values in seen.values()]
        largest = max(largest, (sum(evidence) + max(0, metrics - len(evidence))) / max(metrics, len(evidence)))
    return largest
