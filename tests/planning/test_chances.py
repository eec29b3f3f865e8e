"""The chances of an adversary, against playing its game out: every strategy, every outcome of the draws."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import pytest

from auditor.planning.chances import (
    acting_sub_runs,
    catch_probability,
    free_ride_probability,
    free_share,
    independent_catch_probability,
    probability_needed,
)


def best_escape(sub_runs: int, draws: int, acts: int, power: float, *, must: bool) -> float:
    """The best that an adversary can do who sees every draw and decides before each whether to act.

    Args:
        sub_runs: M.
        draws: m, drawn exactly.
        acts: how often it acts.
        power: w.
        must: whether it maximises the probability of not being caught with `acts` acts; else that of completing
            them while no act is ever at risk.
    """

    @cache
    def value(left: int, drawn: int, to_do: int) -> float:
        if to_do == 0:
            return 1.0
        if to_do > left:
            return 0.0
        chance = drawn / left
        survives = 1 - power if must else 0.0
        options = []
        if must or drawn == 0:
            hit = chance * survives * value(left - 1, drawn - 1, to_do - 1) if drawn else 0.0
            missed = (1 - chance) * value(left - 1, drawn, to_do - 1) if drawn < left else 0.0
            options.append(hit + missed)
        hit = chance * value(left - 1, drawn - 1, to_do) if drawn else 0.0
        missed = (1 - chance) * value(left - 1, drawn, to_do) if drawn < left else 0.0
        options.append(hit + missed)
        return max(options)

    return value(sub_runs, draws, acts)


CASES = [(10, 4, 1), (10, 4, 3), (12, 2, 5), (9, 8, 1), (7, 3, 7), (25, 12, 3)]


@pytest.mark.parametrize("power", [1.0, 0.6, 0.1])
@pytest.mark.parametrize(("sub_runs", "replicated", "acts"), CASES)
def test_who_must_act_gains_nothing_by_watching(sub_runs: int, replicated: int, acts: int, power: float) -> None:
    best = best_escape(sub_runs, replicated, acts, power, must=True)
    assert catch_probability(sub_runs, acts, replicated, power) == pytest.approx(1 - best)


@pytest.mark.parametrize(("sub_runs", "replicated", "acts"), CASES)
def test_who_waits_for_the_last_opening_acts_without_risk(sub_runs: int, replicated: int, acts: int) -> None:
    best = best_escape(sub_runs, replicated, acts, 1.0, must=False)
    assert free_ride_probability(sub_runs, acts, replicated) == pytest.approx(best)


@pytest.mark.parametrize(("sub_runs", "replicated"), [(10, 4), (6, 1), (8, 8)])
def test_the_free_rest_is_that_of_counting_all_selections(sub_runs: int, replicated: int) -> None:
    rests = [sub_runs - 1 - max(selection) for selection in combinations(range(sub_runs), replicated)]
    assert free_share(sub_runs, replicated) == pytest.approx(sum(rests) / len(rests) / sub_runs)


@pytest.mark.parametrize(("sub_runs", "block"), [(40, 4), (60, 10)])
def test_one_draw_in_each_block_leaves_nearly_half_to_who_watches(sub_runs: int, block: int) -> None:
    free_in_block = [block - 1 - drawn for drawn in range(block)]
    free = sub_runs // block * sum(free_in_block) / block
    assert free / sub_runs == pytest.approx((block - 1) / (2 * block))
    assert free / sub_runs > 3 * free_share(sub_runs, sub_runs // block)


@pytest.mark.parametrize(("catch", "acts", "power"), [(0.99, 10, 0.9), (0.5, 1, 0.7), (0.999, 40, 0.2)])
def test_the_probability_needed_is_just_enough(catch: float, acts: int, power: float) -> None:
    needed = probability_needed(catch, acts, power)
    assert independent_catch_probability(acts, needed, power) == pytest.approx(catch)


def test_more_than_everything_may_be_needed() -> None:
    assert probability_needed(0.99, 1, 0.9) > 1


def test_a_power_of_nothing_catches_nobody() -> None:
    assert catch_probability(10, 5, 10, 0.0) == 0
    assert catch_probability(10, 5, 10, 0.5) == pytest.approx(1 - 0.5**5)


def test_large_trainings_are_counted_without_loss() -> None:
    assert catch_probability(20_000, 2_000, 44, 0.999999) == pytest.approx(
        catch_probability(20_000, 2_000, 44), abs=1e-6
    )


def test_shares_are_rounded_up_to_whole_sub_runs() -> None:
    assert [acting_sub_runs(share, 10) for share in (0.001, 0.1, 0.11, 1.0)] == [1, 1, 2, 10]
