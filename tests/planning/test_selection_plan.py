"""What the plan says of a primary that watches which sub-runs are opened."""

from __future__ import annotations

import pytest

from auditor.job import parse_job
from auditor.planning import Plan, make_plan
from tests.command import job_text


def plan(audit: str, power: float | None = None) -> Plan:
    return make_plan(parse_job(job_text(steps=400, audit=audit, sub_run_steps=20)), power)


def test_the_default_is_warned_of_with_the_remedy() -> None:
    (warning,) = plan("").warnings
    assert "Once it has counted 4, it can cheat unchecked in the rest, on average 16 % of the training" in warning
    assert "replicate_probability = 0.2 costs about as much as replicated = 4" in warning
    assert "\n" not in warning


def test_the_remedy_costs_as_much_and_is_not_warned_of() -> None:
    exact, independent = plan("replicated = 4"), plan("replicate_probability = 0.2")
    assert independent.extra_steps == pytest.approx(exact.extra_steps)
    assert exact.warnings
    assert independent.warnings == ()
    assert set(independent.free_ride.values()) == {0.0}
    assert exact.free_ride[0.05] == pytest.approx(16 / 20)


@pytest.mark.parametrize("audit", ["replicated = 20", "fixed_selection = [1, 2]"])
def test_who_leaves_no_secret_rest_is_not_warned_of_one(audit: str) -> None:
    assert plan(audit).warnings == ()


def test_the_table_is_multiplied_by_the_power() -> None:
    known, unknown = plan("replicate_probability = 0.2", 0.5), plan("replicate_probability = 0.2")
    assert known.catch[0.1] == {4: pytest.approx(1 - 0.9**2)}
    assert unknown.catch[0.1] == {4: pytest.approx(1 - 0.8**2)}
    assert plan("replicated = 4", 0.5).catch[0.05] == {m: pytest.approx(m / 20 / 2) for m in (2, 4, 8, 16)}
