"""The distance from which a provider is flagged, held against the rule itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix, Judgement
from auditor.decisions.ks import KolmogorovSmirnovDecision
from auditor.decisions.ratio import RatioDecision
from auditor.decisions.standing import Figures, standings

THRESHOLD = 2.5e-4


def matrix(count: int, seed: int, far: float = 30.0, floor: float | None = 0.01) -> DistanceMatrix:
    """Honest distances around 0.02; the first provider lies `far` times as far off."""
    draws = np.random.default_rng(seed)
    values = 0.02 * np.exp(draws.normal(0, 0.3, (count, count)))
    values[0] *= far
    values[:, 0] = values[0]
    values = np.triu(values, 1)
    return DistanceMatrix(0, "update", tuple("abcdefghijklm"[:count]), values + values.T, floor, 0.3)


def figures(judgements: list[Judgement]) -> dict[str, Figures]:
    """What an event would record."""
    return {one.provider: Figures(one.ratio, one.p_value, THRESHOLD) for one in judgements}


@pytest.mark.parametrize("seeds", list(Seeds))
@pytest.mark.parametrize("count", [3, 4, 7])
@pytest.mark.parametrize("seed", range(4))
def test_the_rule_flags_from_that_distance_on_and_not_before(seeds: Seeds, count: int, seed: int) -> None:
    assumptions = Assumptions(0.6, seeds, 0.001)
    before = matrix(count, seed)
    judged = RatioDecision().judge([before], assumptions)
    standing = standings(before, figures(judged), assumptions)[0]
    assert standing.flagged_from is not None
    assert standing.reference == judged[0].reference
    for factor, flagged in ((0.999, False), (1.001, True)):
        # Scaled so that the median of its distances to the reference lies a little before that distance, or beyond it.
        scaled = before.values.copy()
        scaled[0] *= factor * standing.flagged_from / float(np.median(standing.to))
        scaled[:, 0] = scaled[0]
        again = RatioDecision().judge([replace(before, values=scaled)], assumptions)[0]
        assert again.reference == standing.reference
        assert again.p_value is not None
        assert (again.p_value <= THRESHOLD) is flagged


def test_nothing_is_said_of_figures_from_another_rule() -> None:
    assumptions = Assumptions(0.6, Seeds.SHARED, 0.001)
    other = KolmogorovSmirnovDecision().judge([matrix(5, 1)], assumptions)
    assert [one.flagged_from for one in standings(matrix(5, 1), figures(other), assumptions)] == [None] * 5


def test_nothing_is_said_where_the_noise_or_the_spread_is_not_known() -> None:
    shared, own = (Assumptions(0.6, seeds, 0.001) for seeds in (Seeds.SHARED, Seeds.OWN))
    without = matrix(5, 1, floor=None)
    judged = RatioDecision().judge([without], shared)
    assert {one.flagged_from for one in standings(without, figures(judged), shared)} == {None}
    alike = matrix(5, 1, far=1.0)  # nobody lies beyond the allowance, so no figure tells the spread
    judged = RatioDecision().judge([alike], own)
    assert {one.flagged_from for one in standings(alike, figures(judged), own)} == {None}


def test_two_providers_have_no_reference() -> None:
    assert standings(matrix(2, 1), {}, Assumptions(0.6, Seeds.SHARED, 0.001)) == []
