"""The rule of the paper, and the one that keeps its promises where distances depend on servers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from auditor.decisions.ks import KolmogorovSmirnovDecision, PaperDecision
from auditor.decisions.ratio import RatioDecision
from tests.decisions.matrices import assume, lognormal, low, matrix, p_values, servers


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
