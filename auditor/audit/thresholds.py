"""Whether one judgement by itself flags its provider: the one place where that is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from auditor.audit.record.findings import RecordedJudgement
from auditor.decisions import Assumptions, Judgement
from auditor.planning import Choice

Thresholds = Mapping[tuple[str, int], float]
"""By provider and sub-run: the p-value at which one judgement of that sub-run flags the provider by itself."""


def thresholds_of(judgements: Sequence[Judgement], choice: Choice, assumptions: Assumptions) -> Thresholds:
    """The thresholds of all sub-runs that were judged.

    They fall from one sub-run of a provider to its next where nobody knows how many there will be. None changes once
    it is given.

    Args:
        judgements: all so far, in the order in which sub-runs were measured.
        choice: the rule, with the shares of the false-alarm rate.
        assumptions: with that rate.
    """
    positions: dict[str, dict[int, int]] = {}
    for judgement in judgements:
        if judgement.p_value is not None:
            own = positions.setdefault(judgement.provider, {})
            own.setdefault(judgement.sub_run, len(own))
    return {
        (provider, sub_run): choice.budget.threshold(assumptions.false_alarm_rate, position)
        for provider, own in positions.items()
        for sub_run, position in own.items()
    }


def deviates(judgement: Judgement, thresholds: Thresholds) -> bool:
    """Whether a judgement by itself flags its provider."""
    threshold = thresholds.get((judgement.provider, judgement.sub_run))
    return judgement.p_value is not None and threshold is not None and judgement.p_value <= threshold


def recorded(judgement: Judgement, thresholds: Thresholds) -> RecordedJudgement:
    """A judgement as the event of its sub-run has it."""
    return RecordedJudgement(
        metric=judgement.metric,
        provider=judgement.provider,
        p_value=judgement.p_value,
        ratio=judgement.ratio,
        note=judgement.note,
        noise=judgement.noise,
        threshold=thresholds.get((judgement.provider, judgement.sub_run)),
        deviates=deviates(judgement, thresholds),
    )
