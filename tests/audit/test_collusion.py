"""When the assumption about the share of benign providers may be broken."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from auditor.audit.collusion import doubts_about_assumption
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.direction import Sketches


def matrix(near: tuple[tuple[int, ...], ...], count: int, floor: float | None = None) -> DistanceMatrix:
    """Distances of 1 within each group, of 3 elsewhere."""
    values = np.zeros((count, count))
    for i, j in combinations(range(count), 2):
        values[i, j] = values[j, i] = 1.0 if any(i in group and j in group for group in near) else 3.0
    return DistanceMatrix(0, "update", tuple("abcdefgh"[:count]), values, floor)


@pytest.mark.parametrize(("seeds", "floor"), [(Seeds.OWN, None), (Seeds.SHARED, 0.5)])
def test_two_that_deviate_alike_make_two_camps_and_two_that_deviate_each_in_their_way_do_not(
    seeds: Seeds, floor: float | None
) -> None:
    assumptions = Assumptions(0.6, seeds, 0.01)
    alike = matrix(((0, 1), (2, 3, 4)), 5, floor)
    assert any("two camps" in doubt for doubt in doubts_about_assumption(["a", "b"], [alike], assumptions))
    differing = matrix(((2, 3, 4),), 5, floor)
    assert doubts_about_assumption(["a", "b"], [differing], assumptions) == []


def test_more_that_deviate_than_are_counted_on_break_the_assumption() -> None:
    assumptions = Assumptions(0.8, Seeds.OWN, 0.01)
    (doubt,) = doubts_about_assumption(["a", "b"], [matrix(((2, 3, 4),), 5)], assumptions)
    assert "at most 1 of 5" in doubt


def test_one_that_deviates_raises_no_doubt() -> None:
    assert doubts_about_assumption(["a"], [matrix(((1, 2),), 3)], Assumptions(0.67, Seeds.OWN, 0.01)) == []


@pytest.mark.parametrize("alike", [True, False])
def test_with_own_seeds_those_make_a_camp_that_are_pulled_alike(alike: bool) -> None:
    draws = np.random.default_rng(3)
    sketches = []
    for index in range(6):
        models = draws.standard_normal((5, 100)) / 10
        models[0, 0] += 1
        models[1, 0 if alike else 1] += 1
        sketches.append(Sketches(index, tuple("abcde"), models))
    assumptions = Assumptions(0.6, Seeds.OWN, 0.01)
    apart = matrix(((0, 1, 2, 3, 4),), 5)  # as far from one another as everybody
    doubts = doubts_about_assumption(["a", "b"], [apart], assumptions, sketches)
    assert any("two camps" in doubt for doubt in doubts) == alike
