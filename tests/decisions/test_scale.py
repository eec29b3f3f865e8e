"""What log ratios are measured by: p-values and the ratios that have them."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from auditor.decisions.calibration import Calibration
from auditor.decisions.scale import Scale

SCALE = Scale(0.3, Calibration(0.4, 1.2, 5.0))


@pytest.mark.parametrize("p_value", [1e-40, 1e-9, 1e-3, 0.2, 0.5, 0.9])
def test_the_ratio_of_a_p_value_has_it(p_value: float) -> None:
    ratio = SCALE.ratio_at(p_value)
    if ratio < 1e300:
        assert SCALE.p_value(math.log(ratio)) == pytest.approx(p_value, rel=1e-9)


@pytest.mark.parametrize("logarithm", [-5.0, 0.0, 0.3, 4.0, 600.0])
def test_a_p_value_is_that_of_students_distribution(logarithm: float) -> None:
    assert SCALE.p_value(logarithm) == stats.t.sf((logarithm / 0.3 - 0.4) / 1.2, 5.0)


def test_the_ends_of_what_a_p_value_can_be() -> None:
    assert SCALE.ratio_at(0.0) == math.exp(700)
    assert SCALE.ratio_at(1.0) == 0.0
