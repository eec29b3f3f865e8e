"""From all that was found of a provider to one p-value for the whole run.

An audit is looked at after every sub-run, may stop as soon as somebody is flagged, and may go on where it is unsure.
The p-value of a provider is therefore valid whenever it is looked at: the probability that that of a benign provider
ever falls to α is at most α. Two tests share α (Bonferroni):

- one sub-run by itself, for a provider that deviates seldom and then plainly. The j-th judged sub-run may use the
  share w_j of this part, and the shares sum to 1. With m sub-runs known beforehand each has 1/m; else
  w_j = c / ((c + j)(c + j − 1)) with c the number expected, which sums to 1 however many come.
- with the providers' own seeds all sub-runs together, for a provider that deviates always and a little: by the
  direction that it deviates in (`direction`). It is looked at once, at the end, or twice where the audit says so
  beforehand (`Budget.interim`); each look has its share, and none in between counts.

With the client's seeds there is the first test only, and its half of α. What honest providers differ by is then how
their hardware rounds, which is the same in every sub-run and would add up as well as any deviation. With seeds of
their own the direction has most of α, since single sub-runs show gross deviations only (`own_seeds`).

Sub-runs are counted in the order in which they were measured, not in that of the training, so that what was found never
changes when an earlier one comes late.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.decisions.distances import Judgement
from auditor.decisions.error_budget import Budget

_TINY = 1e-15
"""No p-value is taken for smaller: the tails of no distribution are known so far out."""


def combined_p_value(
    judgements: Sequence[Judgement], budget: Budget, direction: Sequence[tuple[float, float]] = ()
) -> float | None:
    """One p-value from all that was found of one provider so far; None when nothing has one.

    Args:
        judgements: of one provider, over sub-runs and metrics, in the order in which they were measured.
        budget: how the false-alarm rate is shared.
        direction: (p-value, share of α) of each look at its direction.
    """
    informative = [judgement for judgement in judgements if judgement.p_value is not None]
    if not informative and not direction:
        return None
    looks = [p_value / share for p_value, share in direction]
    return min(1.0, _of_one_alone(informative, budget) / budget.alone, *looks)


def _of_one_alone(judgements: Sequence[Judgement], budget: Budget) -> float:
    """The p-value of the sub-run and the metric that show most."""
    sub_runs = list(dict.fromkeys(judgement.sub_run for judgement in judgements))
    shares = {sub_run: budget.share(position) for position, sub_run in enumerate(sub_runs)}
    found = [
        max(judgement.p_value or 0.0, _TINY) / share
        for judgement in judgements
        if (share := shares[judgement.sub_run]) > 0
    ]
    return budget.metrics * min(found, default=1.0)
