"""The ratio to the reference clique."""

from __future__ import annotations

import math

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.decisions import DistanceMatrix
from auditor.decisions.ks import KolmogorovSmirnovDecision
from auditor.decisions.ratio import RatioDecision
from tests.decisions.matrices import assume, lognormal, low, matrix, p_values, servers


def test_with_the_clients_seeds_equal_results_are_not_suspicious() -> None:
    found = RatioDecision().judge([matrix(np.zeros((4, 4)), floor=1e-3)], assume(0.67, Seeds.SHARED))
    assert low(found, 0.05) == set()
    assert {one.ratio for one in found} == {1.0}


def test_with_the_clients_seeds_a_server_within_the_allowed_noise_is_not_suspicious() -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 1.9e-3
    values[2, 2] = 0
    assert low(RatioDecision().judge([matrix(values, floor=1e-3)], assume(0.67, Seeds.SHARED)), 0.05) == set()


def test_with_the_clients_seeds_a_far_server_among_equal_ones_is_found() -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 4e-2
    values[2, 2] = 0
    found = RatioDecision().judge([matrix(values, floor=1e-3)], assume(0.67, Seeds.SHARED))
    assert low(found, 1e-6) == {"p2"}
    assert low(found, 0.05) == {"p2"}
    assert next(one.ratio for one in found if one.provider == "p2") == pytest.approx(20)


@pytest.mark.parametrize("floor", [None, 0.0])
def test_without_a_known_noise_floor_nobody_is_accused(floor: float | None) -> None:
    values = np.full((4, 4), 1e-7)
    values[2, :] = values[:, 2] = 2e-2
    np.fill_diagonal(values, 0.0)
    found = RatioDecision().judge([matrix(values, floor=floor)], assume(0.67, Seeds.SHARED))
    assert set(p_values(found).values()) == {None}
    assert all("noise" in judgement.note for judgement in found)


@pytest.mark.parametrize("floor", [None, 0.0])
def test_without_a_known_noise_floor_those_who_agree_exactly_agree(floor: float | None) -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 2e-2
    values[2, 2] = 0
    found = RatioDecision().judge([matrix(values, floor=floor)], assume(0.67, Seeds.SHARED))
    assert p_values(found) == {"p0": 1.0, "p1": 1.0, "p2": None, "p3": 1.0}
    assert ["noise" in judgement.note for judgement in found] == [False, False, True, False]


def test_two_participants_make_no_reference_group() -> None:
    for rule in (RatioDecision(), KolmogorovSmirnovDecision()):
        found = rule.judge([matrix(lognormal(2, (), np.random.default_rng(0)))], assume(0.67))
        assert set(p_values(found).values()) == {None}
        assert rule.smallest_p_value(2, assume(0.67)) == 1.0


@pytest.mark.parametrize("rule", [RatioDecision(), KolmogorovSmirnovDecision()], ids=["ratio", "ks"])
def test_the_order_of_the_providers_does_not_matter(rule: RatioDecision | KolmogorovSmirnovDecision) -> None:
    draws = np.random.default_rng(3)
    values = lognormal(7, (1, 4), draws)
    straight = {one.provider: one for one in rule.judge([matrix(values)], assume(0.6))}
    order = draws.permutation(7)
    turned = DistanceMatrix(0, "update", tuple(f"p{index}" for index in order), values[np.ix_(order, order)], None)
    for one in rule.judge([turned], assume(0.6)):
        other = straight[one.provider]
        assert one.p_value == pytest.approx(other.p_value)
        assert one.ratio == pytest.approx(other.ratio)
        if rule.name == "ratio":
            assert set(one.reference) == set(other.reference)


@pytest.mark.parametrize("count", [2, 3, 4, 16])
def test_one_margin_of_noise_is_allowed_for_whatever_the_number_of_providers(count: int) -> None:
    def judged(floors: float) -> set[str]:
        values = np.zeros((count, count))
        values[0, :] = values[:, 0] = floors * 1e-3
        values[0, 0] = 0
        found = RatioDecision().judge([matrix(values, floor=1e-3)], assume(0.67, Seeds.SHARED, alarm=0.01))
        return {one.provider for one in found if one.p_value is None or one.p_value <= 0.01}

    assert judged(3.0) == set()
    assert "p0" in judged(3.6)


def test_noise_that_an_attack_would_fit_in_is_told() -> None:
    values = np.zeros((3, 3))
    loud = DistanceMatrix(0, "update", ("a", "b", "c"), values, 0.5, size=math.sqrt(2))
    quiet = DistanceMatrix(1, "update", ("a", "b", "c"), values, 1e-3, size=math.sqrt(2))
    found = RatioDecision().judge([loud, quiet], assume(0.67, Seeds.SHARED))
    assert {one.sub_run for one in found if one.blind} == {0}
    assert all(one.noise == pytest.approx(1 / math.sqrt(2)) for one in found if one.sub_run == 0)


def test_a_spread_is_that_of_what_was_measured_before() -> None:
    draws = np.random.default_rng(2)
    matrices = [matrix(lognormal(4, (), draws, spread), sub_run=index) for index, spread in ((3, 0.02), (1, 0.3))]
    alone = RatioDecision().judge(matrices[:1], assume(0.75))
    assert RatioDecision().judge(matrices, assume(0.75))[:4] == alone


def test_a_judgement_depends_on_nothing_that_comes_later() -> None:
    draws = np.random.default_rng(2)
    matrices = [matrix(servers(4, draws, 0.1), sub_run=index) for index in range(5)]
    whole = RatioDecision().judge(matrices, assume(0.75))
    first = RatioDecision().judge(matrices[:2], assume(0.75))
    assert [one for one in whole if one.sub_run < 2] == first
