"""The rules, on matrices whose truth is known."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from auditor.audit.decisions import Assumptions, DistanceMatrix, Judgement, choose
from auditor.audit.decisions.agreement import AgreementDecision
from auditor.audit.decisions.clique import EXHAUSTIVE, spread_sum, tightest, within
from auditor.audit.decisions.evidence import combined_p_value, stouffer, threshold
from auditor.audit.decisions.ks import KolmogorovSmirnovDecision, participants_needed
from auditor.audit.decisions.ratio import RatioDecision
from auditor.job import parse_job

Values = NDArray[np.float64]


def lognormal(
    n: int, far: tuple[int, ...], draws: np.random.Generator, spread: float = 0.05, factor: float = 2.5
) -> Values:
    """Distances around 1 among the benign; those of each far server larger by `factor` and more spread."""
    values = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        apart = i in far or j in far
        scale = factor * (1.6 if i in far and j in far else 1.0) if apart else 1.0
        values[i, j] = values[j, i] = scale * math.exp((4 * spread if apart else spread) * draws.standard_normal())
    return values


def matrix(values: Values, *, sub_run: int = 0, metric: str = "update", floor: float | None = None) -> DistanceMatrix:
    return DistanceMatrix(sub_run, metric, tuple(f"p{index}" for index in range(len(values))), values, floor)


def assume(benign: float, randomness: Literal["client", "provider"] = "provider", alarm: float = 0.01) -> Assumptions:
    return Assumptions(benign, randomness, alarm)


def p_values(judgements: list[Judgement]) -> dict[str, float | None]:
    return {one.provider: one.p_value for one in judgements}


def low(judgements: list[Judgement], limit: float) -> set[str]:
    return {one.provider for one in judgements if one.p_value is not None and one.p_value < limit}


# The rule of the paper


@pytest.mark.parametrize("seed", range(5))
def test_ks_separates_eight_malicious_of_sixteen(seed: int) -> None:
    far = tuple(range(0, 16, 2))
    values = lognormal(16, far, np.random.default_rng(seed))
    found = KolmogorovSmirnovDecision().judge([matrix(values)], assume(0.5))
    assert low(found, 0.01) == {f"p{index}" for index in far}


def test_ks_cannot_reach_one_per_cent_with_four_servers() -> None:
    rule, assumptions = KolmogorovSmirnovDecision(), assume(0.67)
    assert rule.smallest_p_value(4, assumptions) == pytest.approx(2 / math.comb(3, 1))
    values = lognormal(4, (2,), np.random.default_rng(0), factor=1e6)
    found = [p for p in p_values(rule.judge([matrix(values)], assumptions)).values() if p is not None]
    assert len(found) == 4
    assert min(found) == pytest.approx(2 / 3)


@pytest.mark.parametrize("n", [5, 8, 12, 16])
def test_the_smallest_p_value_of_ks_is_reached_and_never_undercut(n: int) -> None:
    rule, assumptions = KolmogorovSmirnovDecision(), assume(0.5)
    values = lognormal(n, (0,), np.random.default_rng(n), factor=1e6)
    found = p_values(rule.judge([matrix(values)], assumptions))
    assert found["p0"] == pytest.approx(rule.smallest_p_value(n, assumptions))
    assert min(p for p in found.values() if p is not None) == found["p0"]


def test_the_number_of_providers_that_ks_needs_is_the_smallest_that_suffices() -> None:
    rule, assumptions = KolmogorovSmirnovDecision(), assume(0.67)
    needed = participants_needed(assumptions, 1e-3)
    assert needed is not None
    assert rule.smallest_p_value(needed, assumptions) <= 1e-3
    assert all(rule.smallest_p_value(n, assumptions) > 1e-3 for n in range(3, needed))


def test_ks_does_not_suspect_a_server_that_is_nearer_than_the_rest() -> None:
    values = lognormal(16, (), np.random.default_rng(1))
    values[3] *= 0.2
    values[:, 3] *= 0.2
    assert p_values(KolmogorovSmirnovDecision().judge([matrix(values)], assume(0.5)))["p3"] == 1.0


# The reference-clique ratio


@pytest.mark.parametrize("far", range(4))
def test_ratio_flags_the_far_one_of_four_and_nobody_else(far: int) -> None:
    for seed in range(20):
        draws = np.random.default_rng((far, seed))
        matrices = [matrix(lognormal(4, (far,), draws), sub_run=index) for index in range(12)]
        found = RatioDecision().judge(matrices, assume(0.67))
        flagged = {
            name
            for name in matrices[0].providers
            if (p := combined_p_value([one for one in found if one.provider == name], 1)) is not None and p < 0.01
        }
        assert flagged == {f"p{far}"}
        assert all(one.ratio is not None and one.ratio > 1.5 for one in found if one.provider == f"p{far}")


@pytest.mark.parametrize(("n", "spread"), [(4, 0.03), (4, 0.2), (6, 0.1)])
def test_honest_providers_are_not_flagged_more_often_than_was_asked(n: int, spread: float) -> None:
    draws = np.random.default_rng(7)
    alarm, runs, sub_runs = 0.01, 2000 // n, 4
    alarms = 0
    for _ in range(runs):
        matrices = [
            matrix(lognormal(n, (), draws, spread), sub_run=index, metric=metric)
            for index in range(sub_runs)
            for metric in ("update", "zest")
        ]
        found = RatioDecision().judge(matrices, assume(0.67, alarm=alarm))
        for name in matrices[0].providers:
            p = combined_p_value([one for one in found if one.provider == name], 2)
            assert p is not None
            alarms += p < alarm
    judged = runs * n
    assert alarms / judged <= alarm + 3 * math.sqrt(alarm * (1 - alarm) / judged)


def test_with_the_clients_seeds_equal_results_are_not_suspicious() -> None:
    found = RatioDecision().judge([matrix(np.zeros((4, 4)), floor=1e-3)], assume(0.67, "client"))
    assert low(found, 0.05) == set()
    assert {one.ratio for one in found} == {1.0}


def test_with_the_clients_seeds_a_server_within_the_noise_floor_is_not_suspicious() -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 9e-4
    values[2, 2] = 0
    assert low(RatioDecision().judge([matrix(values, floor=1e-3)], assume(0.67, "client")), 0.05) == set()


def test_with_the_clients_seeds_a_far_server_among_equal_ones_is_found() -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 2e-2
    values[2, 2] = 0
    found = RatioDecision().judge([matrix(values, floor=1e-3)], assume(0.67, "client"))
    assert low(found, 1e-6) == {"p2"}
    assert low(found, 0.05) == {"p2"}
    assert next(one.ratio for one in found if one.provider == "p2") == pytest.approx(20)


def test_without_a_known_noise_floor_equal_results_and_unequal_ones_cannot_be_told_apart() -> None:
    values = np.zeros((4, 4))
    values[2, :] = values[:, 2] = 2e-2
    values[2, 2] = 0
    found = RatioDecision().judge([matrix(values)], assume(0.67, "client"))
    assert set(p_values(found).values()) == {None}
    assert all("noise" in one.note for one in found)


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


# Two providers


@pytest.mark.parametrize(
    ("distance", "floor", "randomness", "p_value", "words"),
    [
        (0.0, 1e-3, "client", 1.0, ""),
        (0.0, None, "client", 1.0, ""),
        (2e-3, 1e-3, "client", 1.0, ""),
        (5e-3, 1e-3, "client", None, "a third would settle"),
        (1e-9, None, "client", None, "nobody has measured"),
        (0.0, 1e-3, "provider", None, "seeds of their own"),
        (5.0, 1e-3, "provider", None, "seeds of their own"),
    ],
)
def test_two_providers_agree_within_noise_or_nothing_can_be_told(
    distance: float, floor: float | None, randomness: Literal["client", "provider"], p_value: float | None, words: str
) -> None:
    values = np.array([[0, distance], [distance, 0]])
    found = AgreementDecision().judge([matrix(values, floor=floor)], assume(1.0, randomness))
    assert p_values(found) == {"p0": p_value, "p1": p_value}
    assert [one.reference for one in found] == [("p1",), ("p0",)]
    assert all(words in one.note for one in found)
    assert all(bool(one.note) == (p_value is None) for one in found)


# The clique


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


def test_distances_within_a_group_are_one_a_pair() -> None:
    values = lognormal(5, (), np.random.default_rng(0))
    assert within(values, (3, 1, 4)).tolist() == [values[3, 1], values[3, 4], values[1, 4]]
    assert spread_sum(values, (3, 1, 4)) == pytest.approx(float(within(values, (3, 1, 4)).sum()))


# Evidence over sub-runs


def judgement(p_value: float | None, metric: str = "update", sub_run: int = 0) -> Judgement:
    return Judgement(sub_run, metric, "p0", p_value, None, ())


def test_no_p_value_at_all_makes_none() -> None:
    assert combined_p_value([], 2) is None
    assert combined_p_value([judgement(None), judgement(None, "zest")], 2) is None


def test_one_judgement_flags_by_itself_just_under_the_threshold() -> None:
    limit = threshold(0.01, sub_runs=5, metrics=2)
    others = [judgement(0.5, metric, index) for metric in ("update", "zest") for index in range(4)]
    for p_value, flagged in ((limit * 0.99, True), (limit * 1.01, False)):
        combined = combined_p_value([*others, judgement(p_value), judgement(0.5, "zest")], 2)
        assert combined is not None
        assert (combined < 0.01) == flagged


def test_weak_evidence_in_every_sub_run_adds_up() -> None:
    combined = [combined_p_value([judgement(0.03)] * count, 1) or 0.0 for count in (1, 4, 16)]
    assert combined[0] > 0.05 > combined[1] > combined[2]
    assert combined[2] < 1e-6


def test_stouffer_of_one_is_that_one_and_of_halves_is_a_half() -> None:
    assert stouffer([0.2]) == pytest.approx(0.2)
    assert stouffer([0.5] * 9) == pytest.approx(0.5)
    assert stouffer([0.2, 0.8]) == pytest.approx(0.5)
    assert 0 <= stouffer([0.0, 0.0]) < 1e-12
    assert stouffer([1.0]) == pytest.approx(1.0)


# The choice


def job(n: int, audit: str = "") -> str:
    text = f'[task]\ndataset = "digits"\n[audit]\n{audit}\n'
    return text + "".join(
        f'[[providers]]\nname = "p{index}"\nendpoint = "local:cpu"\nprimary = {str(index == 0).lower()}\n'
        for index in range(n)
    )


@pytest.mark.parametrize(
    ("n", "audit", "name", "powerless", "warning"),
    [
        (2, "", "agreement", False, "third provider"),
        (4, "", "ratio", False, ""),
        (4, 'decision = "ks"', "ks", True, "cannot flag anybody here: with n = 4"),
        (16, 'decision = "ks"\nbenign_fraction = 0.5', "ks", False, ""),
        (4, 'randomness = "provider"', "ratio", False, ""),
        (3, "fixed_selection = [1]", "ratio", False, "fixed"),
    ],
)
def test_the_choice_says_what_it_cannot_do(n: int, audit: str, name: str, powerless: bool, warning: str) -> None:
    choice = choose(parse_job(job(n, audit)))
    assert (choice.decision.name, choice.powerless) == (name, powerless)
    assert choice.reason
    assert bool(choice.warnings) == bool(warning)
    assert all(warning in one for one in choice.warnings)


def test_a_powerless_rule_says_how_many_providers_would_do_and_they_do() -> None:
    (words,) = choose(parse_job(job(4, 'decision = "ks"'))).warnings
    enough = int(words.rpartition("at least ")[2].split()[0])
    assert not choose(parse_job(job(enough, 'decision = "ks"'))).powerless
    assert choose(parse_job(job(enough - 1, 'decision = "ks"'))).powerless
