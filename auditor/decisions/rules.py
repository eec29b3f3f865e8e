"""Which rule judges n providers, and what the direction needs to say anything."""

from __future__ import annotations

from auditor.base.seeds import Seeds
from auditor.decisions.agreement import AgreementDecision
from auditor.decisions.direction import smallest_p_value
from auditor.decisions.distances import Assumptions, Decision
from auditor.decisions.error_budget import ALONE_BESIDE_DIRECTION
from auditor.decisions.ks import KolmogorovSmirnovDecision, PaperDecision
from auditor.decisions.ratio import RatioDecision


def direction_tells(participants: int, sub_runs: int, false_alarm_rate: float) -> bool:
    """Whether this many sub-runs can flag a provider by its direction alone."""
    smallest = smallest_p_value(participants, sub_runs)
    return smallest <= (1 - ALONE_BESIDE_DIRECTION) * false_alarm_rate


def sub_runs_for_direction(participants: int, false_alarm_rate: float) -> int | None:
    """How many sub-runs it takes at least; None where none are enough."""
    return next((m for m in range(2, 40) if direction_tells(participants, m, false_alarm_rate)), None)


def select(asked: str, count: int, assumptions: Assumptions) -> tuple[Decision, str]:
    """The rule for n = `count`, and why: the one that is asked for, or the best under `auto`.

    Args:
        asked: `auto`, `ratio` or `ks`; and `rttd`, the paper's rule to the letter, which no job can ask for.
        count: n.
        assumptions: what the audit takes for granted.
    """
    if count == 2:
        return AgreementDecision(), "two providers can only agree or disagree"
    if asked == "ks":
        return KolmogorovSmirnovDecision(), "the job asks for it"
    if asked == "rttd":
        return PaperDecision(), "the benchmark compares with it"
    if asked == "ratio":
        return RatioDecision(), "the job asks for it"
    if assumptions.seeds is Seeds.SHARED:
        return RatioDecision(), "with shared seeds honest results differ only by numerical noise"
    return RatioDecision(), "it needs the fewest providers and its false alarm rate has been measured"
