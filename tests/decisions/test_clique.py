"""The group of providers that lie closest together."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from auditor.decisions.clique import EXHAUSTIVE, spread_sum, tightest, within
from tests.decisions.matrices import lognormal


@pytest.mark.parametrize("seed", range(10))
def test_the_clique_is_that_of_trying_all_groups(seed: int) -> None:
    draws = np.random.default_rng(seed)
    values = lognormal(9, (2, 5), draws, spread=0.5)
    members = sorted(draws.permutation(9)[:8].tolist())
    for size in range(2, 9):
        best = min(combinations(members, size), key=lambda group: spread_sum(values, group))
        assert spread_sum(values, tightest(values, members, size)) == pytest.approx(spread_sum(values, best))


def test_the_clique_is_found_also_where_there_are_too_many_groups_to_try() -> None:
    assert math.comb(30, 15) > EXHAUSTIVE
    far = tuple(range(1, 30, 2))
    values = lognormal(30, far, np.random.default_rng(0))
    assert tightest(values, range(30), 15) == tuple(range(0, 30, 2))


@pytest.mark.parametrize("seed", range(3))
def test_no_exchange_of_one_member_makes_a_large_clique_tighter(seed: int) -> None:
    values = lognormal(24, (2, 5, 7), np.random.default_rng(seed), spread=0.5)
    group = tightest(values, range(24), 16)
    others = set(range(24)) - set(group)
    swapped = [tuple(sorted({*group, incoming} - {outgoing})) for outgoing in group for incoming in others]
    least = min(spread_sum(values, candidate) for candidate in swapped)
    assert spread_sum(values, group) <= least * (1 + 1e-9)


def test_the_clique_of_256_is_found_and_of_equals_any_will_do() -> None:
    far = tuple(range(0, 256, 4))
    values = lognormal(256, far, np.random.default_rng(0))
    assert not set(tightest(values, range(256), 171)).intersection(far)
    assert len(tightest(np.ones((256, 256)) - np.eye(256), range(256), 171)) == 171


def test_distances_within_a_group_are_one_a_pair() -> None:
    values = lognormal(5, (), np.random.default_rng(0))
    assert within(values, (3, 1, 4)).tolist() == [values[3, 1], values[3, 4], values[1, 4]]
    assert spread_sum(values, (3, 1, 4)) == pytest.approx(float(within(values, (3, 1, 4)).sum()))
