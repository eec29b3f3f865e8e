"""How many providers are counted on."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.base.majority import counted_on
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.ratio import RatioDecision


@pytest.mark.parametrize("participants", range(2, 40))
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.51, 0.6, 0.67, 0.9, 1.0])
def test_more_than_half_are_counted_on_and_no_fewer_than_asked_for(fraction: float, participants: int) -> None:
    counted = counted_on(fraction, participants)
    assert participants / 2 < counted <= participants
    assert counted >= 2
    assert counted >= (fraction - 0.02) * participants


@pytest.mark.parametrize(
    ("fraction", "participants", "counted"),
    [(0.5, 5, 3), (0.5, 9, 5), (0.5, 13, 7), (0.5, 16, 9), (0.67, 3, 2), (0.67, 4, 3), (0.67, 6, 4), (0.67, 16, 11)],
)
def test_a_half_rounds_up_and_two_thirds_are_two_of_three(fraction: float, participants: int, counted: int) -> None:
    assert counted_on(fraction, participants) == counted
    assert Assumptions(fraction, Seeds.SHARED, 0.01).benign(participants) == counted


@pytest.mark.parametrize(("participants", "colluding"), [(5, 2), (9, 4), (13, 6)])
def test_colluders_short_of_half_do_not_have_the_others_flagged(participants: int, colluding: int) -> None:
    names = tuple(f"p{index}" for index in range(participants))
    values = np.full((participants, participants), 1e-3)
    values[:colluding, colluding:] = values[colluding:, :colluding] = 1.0
    np.fill_diagonal(values, 0.0)
    matrix = DistanceMatrix(0, "update", names, values, noise_floor=1e-3)
    found = RatioDecision().judge([matrix], Assumptions(0.5, Seeds.SHARED, 0.01))
    flagged = {one.provider for one in found if one.p_value is not None and one.p_value < 1e-4}
    assert flagged == set(names[:colluding])
