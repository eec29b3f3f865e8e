"""Rates, their intervals, and how well scores separate."""

from __future__ import annotations

import pytest

from auditor.experiments.rates import Rate, area_under_curve


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [
        (Rate(0, 10), 0.0, 0.3085),
        (Rate(10, 10), 0.6915, 1.0),
        (Rate(5, 10), 0.1871, 0.8129),
        (Rate(1, 100), 0.0003, 0.0545),
    ],
)
def test_intervals_are_those_of_clopper_and_pearsons_tables(rate: Rate, low: float, high: float) -> None:
    assert list(rate.interval()) == pytest.approx([low, high], abs=1e-4)


def test_no_trials_have_no_rate() -> None:
    assert Rate(0, 0).value is None
    assert (Rate(0, 0) + Rate(1, 4)).value == 0.25


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    assert area_under_curve([3, 4], [1, 2]) == 1
    assert area_under_curve([1, 2], [3, 4]) == 0
    assert area_under_curve([1, 3], [2, 2]) == 0.5
    assert area_under_curve([2], [2]) == 0.5
    assert area_under_curve([2], []) is None
