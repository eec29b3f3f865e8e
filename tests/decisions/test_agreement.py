"""Two providers agree, or nothing can be told."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.decisions.agreement import AgreementDecision
from tests.decisions.matrices import assume, matrix, p_values


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
