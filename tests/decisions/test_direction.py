"""Directions over sub-runs: whose model is pulled the same way each time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions
from auditor.decisions.direction import Sketches, direction_p_values, look_at_directions, smallest_p_value
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value

ASSUMED = Assumptions(0.67, Seeds.OWN, 0.01)


def audit(
    count: int, sub_runs: int, *, pulled: dict[int, float] | None = None, seed: int = 0, scale: float = 1.0
) -> list[Sketches]:
    """Normal models of unit length, some pulled the same way in every sub-run; the last scatters by `scale`."""
    draws = np.random.default_rng(seed)
    ways = {who: draws.standard_normal(50) / math.sqrt(50) for who in pulled or {}}
    found = []
    for index in range(sub_runs):
        models = draws.standard_normal((count, 50)) / math.sqrt(50)
        models[-1] *= scale
        for who, size in (pulled or {}).items():
            models[who] += size * ways[who]
        found.append(Sketches(index, tuple(f"p{who}" for who in range(count)), models))
    return found


def low(sketches: list[Sketches], limit: float = 0.008) -> set[str]:
    return {name for name, p_value in direction_p_values(sketches, ASSUMED).items() if p_value <= limit}


@pytest.mark.parametrize(("count", "sub_runs"), [(3, 5), (4, 4), (6, 3), (16, 3)])
def test_who_is_always_pulled_the_same_way_is_found_and_nobody_else(count: int, sub_runs: int) -> None:
    for seed in range(10):
        assert low(audit(count, sub_runs, pulled={1: 1.5}, seed=seed)) == {"p1"}


def test_two_of_six_that_are_pulled_are_both_found_also_where_they_are_pulled_alike() -> None:
    for seed in range(5):
        draws = audit(6, 6, pulled={1: 1.5, 4: 1.5}, seed=seed)
        assert low(draws) == {"p1", "p4"}
        alike = [
            Sketches(one.sub_run, one.providers, one.values + 1.5 * np.outer(np.isin(range(6), (0, 3)), np.eye(50)[0]))
            for one in audit(6, 6, seed=seed)
        ]
        assert low(alike, 0.003) == {"p0", "p3"}


@pytest.mark.parametrize(("count", "sub_runs"), [(3, 5), (4, 4), (6, 4)])
@pytest.mark.parametrize("pull", [0.0, 0.3, 1.0, 30.0])
def test_honest_ones_beside_a_pulled_one_are_found_no_more_often_than_asked(
    count: int, sub_runs: int, pull: float
) -> None:
    audits, limit = 150, 0.01
    pulled = {0: pull} if pull else {}
    accused = [low(audit(count, sub_runs, pulled=pulled, seed=seed), limit) - {"p0"} for seed in range(audits)]
    found = sum(map(len, accused))
    judged = audits * (count - 1)
    assert found / judged <= limit + 3 * math.sqrt(limit * (1 - limit) / judged)


def test_who_scatters_more_is_pulled_nowhere() -> None:
    found = sum("p3" in low(audit(4, 5, seed=seed, scale=5.0), 0.05) for seed in range(200))
    assert found / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_sub_runs_that_somebody_missed_count_for_the_others() -> None:
    whole = audit(5, 6, pulled={1: 2.0})
    parted = [
        Sketches(one.sub_run, one.providers[:-1], one.values[:-1])
        if one.sub_run % 2
        else Sketches(one.sub_run, one.providers[1:], one.values[1:])
        for one in whole
    ]
    found = direction_p_values(parted, ASSUMED)
    assert set(found) == {f"p{who}" for who in range(5)}
    assert [name for name, p_value in found.items() if p_value < 0.008] == ["p1"]


def test_one_sub_run_or_two_models_have_no_direction() -> None:
    assert direction_p_values(audit(4, 1, pulled={0: 9.0}), ASSUMED) == {}
    assert direction_p_values(audit(2, 9, pulled={0: 9.0}), ASSUMED) == {}
    assert direction_p_values([], ASSUMED) == {}
    assert smallest_p_value(4, 1) == smallest_p_value(2, 9) == 1.0
    assert smallest_p_value(4, 4) == pytest.approx(4.0**-4)
    assert 0 < smallest_p_value(16, 400) < 1e-4


def test_equal_models_and_huge_ones_end_no_judgement() -> None:
    still = [Sketches(index, ("a", "b", "c", "d"), np.zeros((4, 50))) for index in range(5)]
    assert set(direction_p_values(still, ASSUMED).values()) == {1.0}
    huge = [Sketches(one.sub_run, one.providers, one.values * [[1e150], [1], [1], [1]]) for one in audit(4, 5)]
    assert all(0 < p_value <= 1 for p_value in direction_p_values(huge, ASSUMED).values())


def test_the_order_of_providers_changes_nothing() -> None:
    straight = audit(4, 5, pulled={2: 0.6})
    turned = [Sketches(one.sub_run, one.providers[::-1], one.values[::-1]) for one in straight]
    assert direction_p_values(straight, ASSUMED) == pytest.approx(direction_p_values(turned, ASSUMED))


def test_directions_are_looked_at_when_it_was_said_and_no_look_has_more_than_its_share() -> None:
    assert Budget(8, True, 1).looks(7, ended=False) == {}
    assert Budget(8, True, 1).looks(8, ended=True) == {8: 0.8}
    assert Budget(8, True, 1, adds_up=False).looks(8, ended=True) == {}
    twice = Budget(8, True, 1, interim=4)
    assert list(twice.looks(4, ended=False)) == list(twice.looks(7, ended=False)) == [4]
    assert sum(twice.looks(8, ended=True).values()) == pytest.approx(0.8)
    assert twice.looks(4, ended=True) == twice.looks(4, ended=False)
    looks = look_at_directions(audit(4, 8, pulled={0: 2.0}), twice, ASSUMED, ended=True)
    told = [(one.p_value, one.share) for one in looks["p0"]]
    assert (combined_p_value([], twice, told) or 1.0) <= 0.01
