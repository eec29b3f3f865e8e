"""Whether a judgement by itself flags its provider is decided once, and every face draws what was decided."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from auditor.audit.record import events as e
from auditor.audit.record.findings import RecordedJudgement
from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.audit.thresholds import deviates, recorded, thresholds_of
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, Judgement
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.decisions.ratio import RatioDecision
from auditor.planning import Choice
from auditor.report.timeline import cell, judged
from auditor.store import EventRecord

ALARM = 0.001
ASSUMPTIONS = Assumptions(0.67, Seeds.SHARED, ALARM)
CHOICE = Choice(RatioDecision(), "", (), False, Budget(2, False, 1, False))


def judgements(p_values: Sequence[float | None]) -> list[Judgement]:
    return [Judgement(10 + index, "update", "a", p_value, 2.0, ()) for index, p_value in enumerate(p_values)]


def test_a_later_sub_run_needs_a_smaller_p_value_where_nobody_knows_how_many_come() -> None:
    told = judgements([0.5] * 8 + [5e-5])
    thresholds = thresholds_of(told, CHOICE, ASSUMPTIONS)
    limits = [thresholds["a", 10 + index] for index in range(9)]
    assert limits == sorted(limits, reverse=True)
    assert limits[8] < 5e-5 < limits[0]
    assert not deviates(told[8], thresholds)
    assert deviates(judgements([5e-5])[0], thresholds)


@pytest.mark.parametrize("position", [0, 3, 8])
def test_it_is_the_threshold_of_the_verdict(position: int) -> None:
    thresholds = thresholds_of(judgements([0.5] * (position + 1)), CHOICE, ASSUMPTIONS)
    limit = thresholds["a", 10 + position]
    for p_value in (limit * 0.999, limit * 1.001):
        told = judgements([0.5] * position + [p_value])
        flagged = (combined_p_value(told, CHOICE.budget) or 0.0) <= ALARM
        assert deviates(told[-1], thresholds_of(told, CHOICE, ASSUMPTIONS)) == flagged == (p_value < limit)


def test_a_sub_run_without_a_p_value_takes_no_share() -> None:
    told = judgements([None, 1e-6])
    thresholds = thresholds_of(told, CHOICE, ASSUMPTIONS)
    assert thresholds == {("a", 11): CHOICE.budget.threshold(ALARM, 0)}
    assert recorded(told[0], thresholds).threshold is None
    assert not recorded(told[0], thresholds).deviates


def shown(judgement: RecordedJudgement) -> AuditState:
    events: list[e.Event] = [
        e.RunStarted("r", "a", ("b",), 30, 10, 3, "ratio", "", ()),
        e.Drawn(0, True),
        e.SubRunJudged(0, (judgement,)),
    ]
    stamp = "2026-11-28T00:00:00Z"
    return fold(EventRecord("r", seq, stamp, one.kind, one.payload()) for seq, one in enumerate(events, 1))


@pytest.mark.parametrize(("p_value", "decided", "drawn"), [(5e-4, False, "consistent"), (5e-5, True, "flagged")])
def test_the_timeline_draws_what_was_decided(p_value: float, decided: bool, drawn: str) -> None:
    judgement = RecordedJudgement("update", "a", p_value, ratio=2.0, note="", deviates=decided)
    assert cell(shown(judgement), "a", 0) == judged(judgement) == drawn


def test_what_was_recorded_before_anybody_decided_is_drawn_as_undecided() -> None:
    judgement = RecordedJudgement("update", "a", 1e-9, ratio=9.0, note="")
    assert cell(shown(judgement), "a", 0) == "undecided"
