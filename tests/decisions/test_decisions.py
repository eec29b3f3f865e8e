"""The rules, on matrices whose truth is known."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix, Judgement
from auditor.decisions.agreement import AgreementDecision
from auditor.decisions.clique import EXHAUSTIVE, spread_sum, tightest, within
from auditor.decisions.evidence import Budget, combined_p_value
from auditor.decisions.ks import KolmogorovSmirnovDecision, PaperDecision
from auditor.decisions.ratio import RatioDecision
from auditor.job import parse_job
from auditor.planning import choose

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


def assume(benign: float, seeds: Seeds = Seeds.OWN, alarm: float = 0.01) -> Assumptions:
    return Assumptions(benign, seeds, alarm)


def p_values(judgements: list[Judgement]) -> dict[str, float | None]:
    return {one.provider: one.p_value for one in judgements}


def low(judgements: list[Judgement], limit: float) -> set[str]:
    return {one.provider for one in judgements if one.p_value is not None and one.p_value < limit}


# The rule of the paper


@pytest.mark.parametrize("seed", range(5))
def test_the_papers_rule_separates_eight_malicious_of_sixteen(seed: int) -> None:
    far = tuple(range(0, 16, 2))
    values = lognormal(16, far, np.random.default_rng(seed))
    found = PaperDecision().judge([matrix(values)], assume(0.5))
    assert low(found, 0.01) == {f"p{index}" for index in far}


def test_the_papers_rule_cannot_reach_one_per_cent_with_four_servers() -> None:
    rule, assumptions = PaperDecision(), assume(0.67)
    assert rule.smallest_p_value(4, assumptions) == pytest.approx(2 / math.comb(3, 1))
    values = lognormal(4, (2,), np.random.default_rng(0), factor=1e6)
    found = [p for p in p_values(rule.judge([matrix(values)], assumptions)).values() if p is not None]
    assert len(found) == 4
    assert min(found) == pytest.approx(2 / 3)


@pytest.mark.parametrize("rule", [PaperDecision(), KolmogorovSmirnovDecision()], ids=["rttd", "ks"])
@pytest.mark.parametrize("n", [5, 8, 12])
def test_the_smallest_p_value_is_reached_and_never_undercut(
    n: int, rule: PaperDecision | KolmogorovSmirnovDecision
) -> None:
    assumptions = assume(0.5)
    values = lognormal(n, (0,), np.random.default_rng(n), factor=1e6)
    found = p_values(rule.judge([matrix(values)], assumptions))
    assert found["p0"] == pytest.approx(rule.smallest_p_value(n, assumptions))
    assert min(p for p in found.values() if p is not None) == found["p0"]


def servers(n: int, draws: np.random.Generator, spread: float) -> Values:
    """Honest distances as they are measured: a server that took another turn lies further from all."""
    own = draws.standard_normal(n) * math.sqrt(0.4)
    values = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        noise = own[i] + own[j] + math.sqrt(0.2) * draws.standard_normal()
        values[i, j] = values[j, i] = math.exp(spread * noise)
    return values


def alarms(rule: RatioDecision | KolmogorovSmirnovDecision | PaperDecision, n: int, benign: float) -> float:
    """How often one judgement of an honest server is at most 0.05."""
    draws = np.random.default_rng(11)
    found = [
        one.p_value
        for _ in range(1200 // n)
        for one in rule.judge([matrix(servers(n, draws, 0.2))], assume(benign))
        if one.p_value is not None
    ]
    return sum(p <= 0.05 for p in found) / len(found)


def test_the_papers_p_values_do_not_hold_where_distances_depend_on_servers_and_ours_do() -> None:
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1200)
    assert alarms(PaperDecision(), 12, 0.5) > 0.1
    assert alarms(KolmogorovSmirnovDecision(), 12, 0.5) <= allowed
    assert alarms(RatioDecision(), 12, 0.5) <= allowed
    assert alarms(RatioDecision(), 4, 0.75) <= allowed


def test_ks_does_not_suspect_a_server_that_is_nearer_than_the_rest() -> None:
    values = lognormal(16, (), np.random.default_rng(1))
    values[3] *= 0.2
    values[:, 3] *= 0.2
    assert p_values(KolmogorovSmirnovDecision().judge([matrix(values)], assume(0.5)))["p3"] == 1.0


# The reference-clique ratio


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


# Two providers


@pytest.mark.parametrize(
    ("distance", "floor", "seeds", "p_value", "words"),
    [
        (0.0, 1e-3, Seeds.SHARED, 1.0, ""),
        (0.0, None, Seeds.SHARED, 1.0, ""),
        (2e-3, 1e-3, Seeds.SHARED, 1.0, ""),
        (5e-3, 1e-3, Seeds.SHARED, None, "a third provider would settle"),
        (1e-9, None, Seeds.SHARED, None, "is unknown"),
        (0.0, 1e-3, Seeds.OWN, None, "different seeds"),
        (5.0, 1e-3, Seeds.OWN, None, "different seeds"),
    ],
)
def test_two_providers_agree_within_noise_or_nothing_can_be_told(
    distance: float, floor: float | None, seeds: Seeds, p_value: float | None, words: str
) -> None:
    values = np.array([[0, distance], [distance, 0]])
    found = AgreementDecision().judge([matrix(values, floor=floor)], assume(1.0, seeds))
    assert p_values(found) == {"p0": p_value, "p1": p_value}
    assert [one.reference for one in found] == [("p1",), ("p0",)]
    assert all(words in one.note for one in found)
    assert all(bool(one.note) == (p_value is None) for one in found)


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
    budget = Budget(1, True, 2)
    assert combined_p_value([], budget) is None
    assert combined_p_value([judgement(None), judgement(None, "zest")], budget) is None


@pytest.mark.parametrize("exact", [True, False], ids=["m", "about m"])
def test_one_judgement_flags_by_itself_just_under_the_threshold(exact: bool) -> None:
    budget = Budget(5, exact, 2)
    limit = budget.threshold(0.01, 3)
    for p_value, flagged in ((limit * 0.99, True), (limit * 1.01, False)):
        under_update = [0.5, 0.5, 0.5, p_value, 0.5]
        told = [
            one
            for index, p in enumerate(under_update)
            for one in (judgement(p, sub_run=index), judgement(0.5, "zest", index))
        ]
        combined = combined_p_value(told, budget)
        assert combined is not None
        assert (combined < 0.01) == flagged


@pytest.mark.parametrize("expected", [1, 4, 12])
def test_the_shares_of_the_false_alarm_rate_sum_to_one_however_many_sub_runs_come(expected: int) -> None:
    assert sum(Budget(expected, True, 1).share(index) for index in range(expected)) == pytest.approx(1)
    shares = [Budget(expected, False, 1).share(index) for index in range(10_000)]
    assert 0.99 < sum(shares) < 1
    assert shares == sorted(shares, reverse=True)


def test_what_comes_late_never_takes_back_what_was_found() -> None:
    """Sub-runs are executed side by side, so that an early one may come after later ones."""
    budget = Budget(4, True, 1)
    told = [judgement(0.9, sub_run=2), judgement(4e-4, sub_run=3), judgement(0.95, sub_run=0), judgement(0.9)]
    found = [combined_p_value(told[:seen], budget) or 0.0 for seen in range(1, 5)]
    assert found == sorted(found, reverse=True)
    assert found[1] < 0.01


def test_a_spread_is_that_of_what_was_measured_before() -> None:
    draws = np.random.default_rng(2)
    matrices = [matrix(lognormal(4, (), draws, spread), sub_run=index) for index, spread in ((3, 0.02), (1, 0.3))]
    alone = RatioDecision().judge(matrices[:1], assume(0.75))
    assert RatioDecision().judge(matrices, assume(0.75))[:4] == alone


@pytest.mark.parametrize("exact", [True, False], ids=["m", "about m"])
def test_looking_after_every_sub_run_raises_no_false_alarms(exact: bool) -> None:
    draws = np.random.default_rng(5)
    runs, alarm, budget = 2000, 0.05, Budget(10, exact, 2)
    ever = 0
    for _ in range(runs):
        p_values = draws.uniform(size=(10, 2))
        p_values[:, 1] = p_values[:, 0]  # metrics may depend on one another
        told = [
            Judgement(index, metric, "p0", float(p), None, ())
            for index, row in enumerate(p_values)
            for metric, p in zip(("update", "zest"), row, strict=True)
        ]
        ever += any((combined_p_value(told[: 2 * seen], budget) or 0.0) <= alarm for seen in range(1, 11))
    assert ever / runs <= alarm + 3 * math.sqrt(alarm * (1 - alarm) / runs)


def test_the_p_value_never_rises_again_when_more_comes() -> None:
    budget = Budget(10, True, 1)
    told = [judgement(1e-4, sub_run=index) for index in range(3)] + [judgement(0.9, sub_run=3 + i) for i in range(6)]
    found = [combined_p_value(told[:seen], budget) or 0.0 for seen in range(1, 10)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == found[2] < 0.01


def test_a_judgement_depends_on_nothing_that_comes_later() -> None:
    draws = np.random.default_rng(2)
    matrices = [matrix(servers(4, draws, 0.1), sub_run=index) for index in range(5)]
    whole = RatioDecision().judge(matrices, assume(0.75))
    first = RatioDecision().judge(matrices[:2], assume(0.75))
    assert [one for one in whole if one.sub_run < 2] == first


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
        (4, 'decision = "ks"', "ks", True, "cannot flag anybody here. With n = 4,"),
        (8, 'decision = "ks"\nbenign_fraction = 0.5', "ks", True, "cannot flag anybody here. With n = 8,"),
        (
            16,
            'decision = "ks"\nbenign_fraction = 0.5\nrandomness = "provider"\nreplicated = 1',
            "ks",
            True,
            "smallest p-value in one sub-run is 0.05",
        ),
        (
            16,
            'decision = "ks"\nbenign_fraction = 0.5\nrandomness = "provider"\nreplicated = 10',
            "ks",
            False,
            "pulled the same way",
        ),
        (4, 'randomness = "provider"', "ratio", False, "not guaranteed if something honest pulls"),
        (4, 'randomness = "provider"\nreplicated = 2', "ratio", False, "at least 4 replicated sub-runs"),
        (3, 'randomness = "provider"\nfalse_alarm_rate = 1e-6', "ratio", False, "no number of sub-runs shows"),
        (3, "fixed_selection = [1]", "ratio", False, "fixed"),
    ],
)
def test_the_choice_says_what_it_cannot_do(n: int, audit: str, name: str, powerless: bool, warning: str) -> None:
    choice = choose(parse_job(job(n, audit)))
    assert (choice.decision.name, choice.powerless) == (name, powerless)
    assert choice.reason
    assert bool(choice.warnings) == bool(warning)
    assert any(warning in one for one in choice.warnings) or not warning
