"""The picture of an evolving job says what survives, in every width and without colours."""

from __future__ import annotations

import pytest

from auditor.audit.record import events as e
from auditor.audit.record.state import AuditState, Update
from auditor.audit.record.update_events import AttackSuccess
from auditor.job.evolution import Evolution
from auditor.report.survival_chart import ASCII_SURVIVAL, curves_of, survival_lines, survived


def state(successes: list[float | None], acted: set[int]) -> AuditState:
    """An evolving job with one attack."""
    updates = {}
    for number, success in enumerate(successes):
        attack = AttackSuccess("aurora", "badnets", number in acted, success, None)
        measured = e.UpdateMeasured(number, 0.97, 0.97 - 0.05 * number, (attack,))
        updates[number] = Update(e.UpdateStarted(number, f"run.{number}", 40, None), measured)
    return AuditState(updates=updates)


@pytest.mark.parametrize(
    ("successes", "acted", "expected"),
    [
        ([1.0, 0.9, 0.6, 0.4, 0.9], {0}, 2),  # what comes back later does not count
        ([0.0, 1.0, 0.5, 0.9], {1}, 0),  # γ itself is not over γ
        ([0.9, 0.9, 0.9, 0.9], {0, 1}, 2),
        ([0.9, 0.4, 0.9], {0, 2}, 0),
        ([0.5, 0.9], {0}, None),  # it was never alive
        ([0.5, 0.9], set(), None),
        ([1.0, None, 1.0], {0}, 0),  # what was not measured did not survive
    ],
)
def test_survivability_counts_updates_in_a_row_after_the_last_poisoned_one(
    successes: list[float | None], acted: set[int], expected: int | None
) -> None:
    (curve,) = [one for one in curves_of(state(successes, acted)) if one.name == "badnets by aurora"]
    assert survived(curve, 0.5) == expected


@pytest.mark.parametrize("width", [20, 80, 110])
@pytest.mark.parametrize("height", [8, 18, 40])
def test_the_picture_fits_and_has_a_mark_for_every_update_of_every_curve(width: int, height: int) -> None:
    lines = survival_lines(state([0.0, 1.0, 0.7, 0.2], {1}), Evolution(updates=3), width, height, marks=ASCII_SURVIVAL)
    legend = [line for line in lines if "badnets by aurora" in line.plain]
    assert "acted in 1, survived 1 update" in legend[0].plain
    drawn = [line.plain for line in lines[: lines.index(legend[0]) - 1]]
    assert all(len(line) <= width for line in drawn)
    assert sum(line.count("x") for line in drawn) == 4
    assert "".join(drawn).count("=") > width // 4  # the line of γ
    assert {"0", "3"} <= set("".join(drawn[-1].split()))
    assert any(line.lstrip().startswith("50 %") for line in drawn)


def test_the_line_is_where_the_job_says() -> None:
    lines = survival_lines(state([1.0, 0.7, 0.7], {0}), Evolution(updates=2, gamma=0.8), 80, 20)
    assert any(line.plain.lstrip().startswith("80 %") and "┄" in line.plain for line in lines)
    assert any("survived 0 updates" in line.plain for line in lines)


def test_nothing_is_drawn_before_anything_is_measured() -> None:
    assert [line.plain for line in survival_lines(AuditState(), Evolution(updates=4), 80, 20)] == [
        "No update has been measured yet."
    ]
