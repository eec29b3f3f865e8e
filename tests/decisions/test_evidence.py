"""Evidence over sub-runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from auditor.decisions import Judgement
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value


def judgement(p_value: float | None, metric: str = "update", sub_run: int = 0) -> Judgement:
    return Judgement(sub_run, metric, "p0", p_value, None, ())


def test_no_p_value_at_all_makes_none() -> None:
    budget = Budget(1, True, 2)
    assert combined_p_value([], budget) is None
    assert combined_p_value([judgement(None), judgement(None, "zest")], budget) is None


@pytest.mark.parametrize("exact", [True, False], ids=["m", "about m"])
def test_one_judgement_flags_by_itself_just_under_the_threshold(exact: bool) -> None:
    budget = Budget(5, exact, 2)
    limit = budget.threshold(0.01, 3)
    for p_value, flagged in ((limit * 0.99, True), (limit * 1.01, False)):
        under_update = [0.5, 0.5, 0.5, p_value, 0.5]
        told = [
            one
            for index, p in enumerate(under_update)
            for one in (judgement(p, sub_run=index), judgement(0.5, "zest", index))
        ]
        combined = combined_p_value(told, budget)
        assert combined is not None
        assert (combined < 0.01) == flagged


@pytest.mark.parametrize("expected", [1, 4, 12])
def test_the_shares_of_the_false_alarm_rate_sum_to_one_however_many_sub_runs_come(expected: int) -> None:
    assert sum(Budget(expected, True, 1).share(index) for index in range(expected)) == pytest.approx(1)
    shares = [Budget(expected, False, 1).share(index) for index in range(10_000)]
    assert 0.99 < sum(shares) < 1
    assert shares == sorted(shares, reverse=True)


def test_what_comes_late_never_takes_back_what_was_found() -> None:
    """Sub-runs are executed side by side, so that an early one may come after later ones."""
    budget = Budget(4, True, 1)
    told = [judgement(0.9, sub_run=2), judgement(4e-4, sub_run=3), judgement(0.95, sub_run=0), judgement(0.9)]
    found = [combined_p_value(told[:seen], budget) or 0.0 for seen in range(1, 5)]
    assert found == sorted(found, reverse=True)
    assert found[1] < 0.01


@pytest.mark.parametrize("exact", [True, False], ids=["m", "about m"])
def test_looking_after_every_sub_run_raises_no_false_alarms(exact: bool) -> None:
    draws = np.random.default_rng(5)
    runs, alarm, budget = 2000, 0.05, Budget(10, exact, 2)
    ever = 0
    for _ in range(runs):
        p_values = draws.uniform(size=(10, 2))
        p_values[:, 1] = p_values[:, 0]  # metrics may depend on one another
        told = [
            Judgement(index, metric, "p0", float(p), None, ())
            for index, row in enumerate(p_values)
            for metric, p in zip(("update", "zest"), row, strict=True)
        ]
        ever += any((combined_p_value(told[: 2 * seen], budget) or 0.0) <= alarm for seen in range(1, 11))
    assert ever / runs <= alarm + 3 * math.sqrt(alarm * (1 - alarm) / runs)


def test_the_p_value_never_rises_again_when_more_comes() -> None:
    budget = Budget(10, True, 1)
    told = [judgement(1e-4, sub_run=index) for index in range(3)] + [judgement(0.9, sub_run=3 + i) for i in range(6)]
    found = [combined_p_value(told[:seen], budget) or 0.0 for seen in range(1, 10)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == found[2] < 0.01
