"""How long backdoors survive, counted as the definition says."""

from __future__ import annotations

import pytest

from auditor.experiments.evolving.survival import HORIZON, survival, survived


def after(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


@pytest.mark.parametrize(
    ("success", "last", "count"),
    [
        (after(1.0, 0.9, 0.6, 0.4, 0.9), 0, 2),  # what comes back after it fell does not count
        (after(1.0, 0.5), 0, 0),  # over γ, not at it
        (after(0.5, 0.9, 0.9), 0, 0),  # it was not there when the poisoning stopped
        (after(0.0, 0.9, 0.8, 0.1), 1, 1),
        (after(0.9, 0.2, 0.9, 0.9, 0.9), 2, 2),  # what was before the last poisoned update does not matter
        (after(*[1.0] * 16), 0, HORIZON),
        (after(*[1.0] * 16), 1, HORIZON),
        (after(*[1.0] * 16), 4, 11),
        (after(1.0), 0, 0),
        ({}, 0, 0),
    ],
)
def test_updates_in_a_row_over_gamma_count(success: dict[int, float], last: int, count: int) -> None:
    assert survived(success, last, 0.5) == count


def test_a_larger_gamma_is_survived_no_longer() -> None:
    success = after(*[1 - 0.07 * update for update in range(15)])
    counts = [survived(success, 0, gamma) for gamma in (0.05, 0.3, 0.5, 0.9, 0.99)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 13


def test_instances_have_a_mean_and_an_interval_within_what_is_possible() -> None:
    found = survival([after(1, 1, 1, 0), after(1, 1, 1, 1, 1, 0), after(1, 1, 0)], 0, 0.5)
    assert found.counts == (2, 4, 1)
    assert found.mean == pytest.approx(7 / 3)
    assert list(found.interval()) == pytest.approx([0.0, 6.1281], abs=1e-3)  # the lower end would be below 0
    alike = survival([after(1, 1, 0)] * 3, 0, 0.5)
    assert alike.interval() == (1, 1)
    assert survival([after(1, 1, 0)], 0, 0.5).interval() == (1, 1)
    assert survival([after(*[1.0] * 15), after(*[1.0] * 2, *[0.0] * 13)], 0, 0.5).interval()[1] == HORIZON


def test_what_outlived_the_measurement_or_never_was_there_is_told() -> None:
    found = survival([after(*[1.0] * 12), after(0.1, *[0.0] * 11), after(1.0, *[0.0] * 11)], 0, 0.5)
    assert (found.censored, found.implanted) == (1, 2)
    assert survival([after(*[1.0] * 15)], 0, 0.5).censored == 0  # of 14 updates all were survived
