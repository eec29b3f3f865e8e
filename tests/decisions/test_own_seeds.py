"""Single sub-runs with seeds of the providers' own: what an honest one may do, and a pair that is equal."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.ratio import RatioDecision
from tests.bench.calibration import KINDS, distances, flagged, rates

ASSUMED = Assumptions(0.67, Seeds.OWN, 0.01)


def matrix(values: np.ndarray, sub_run: int = 0) -> DistanceMatrix:
    return DistanceMatrix(sub_run, "update", tuple(f"p{i}" for i in range(len(values))), values, None, 0.25)


@pytest.mark.parametrize(
    ("kind", "count", "sub_runs"),
    [
        ("3 times in 2 %", 4, 4),
        ("2 times in 10 %", 6, 4),
        ("one always 1.3 times", 4, 4),
        ("one always 2 times", 6, 4),
        ("two share 90 %", 3, 4),
        ("three dimensions", 3, 4),
    ],
)
def test_honest_providers_that_scatter_oddly_are_flagged_no_more_often_than_asked(
    kind: str, count: int, sub_runs: int
) -> None:
    every, _ = rates(kind, count, sub_runs, 400)
    assert every.interval(0.99)[0] <= 0.01, every


@pytest.mark.parametrize("count", [3, 4, 6, 16])
def test_a_model_that_lies_grossly_apart_is_flagged_by_one_sub_run(count: int) -> None:
    source = KINDS["normal"](count, np.random.default_rng(count))
    models = next(source)
    models[1] *= 1000
    assert flagged([models], 0.25) == [index == 1 for index in range(count)]


@pytest.mark.parametrize("count", [4, 6, 9])
@pytest.mark.parametrize("distance", [0.0, 1e-6])
def test_two_nearly_equal_models_do_not_spoil_the_judgement_of_the_others(count: int, distance: float) -> None:
    draws = np.random.default_rng(count)
    models = draws.standard_normal((count, 50))
    models[1] = models[0]
    models[1, 0] += distance
    models[-1] *= 1000
    found = {one.provider: one for one in RatioDecision().judge([matrix(distances(models))], ASSUMED)}
    far = f"p{count - 1}"
    assert all(one.p_value is not None for one in found.values())
    assert [name for name, one in found.items() if (one.p_value or 0) < 1e-2] == [far]
    assert "p1" in found["p0"].note
    assert "p0" in found["p1"].note
    assert not any(one.note for name, one in found.items() if name not in ("p0", "p1"))


def test_three_nearly_equal_models_of_six_are_each_judged() -> None:
    draws = np.random.default_rng(1)
    models = draws.standard_normal((6, 50))
    models[1] = models[2] = models[0]
    found = {one.provider: one for one in RatioDecision().judge([matrix(distances(models))], ASSUMED)}
    assert all((one.p_value or 0) > 0.1 for one in found.values())
    assert {name for name, one in found.items() if one.note} == {"p0", "p1", "p2"}


def test_a_metric_that_tells_nobody_apart_suspects_nobody() -> None:
    found = RatioDecision().judge([matrix(np.zeros((4, 4)))], ASSUMED)
    assert [one.p_value for one in found] == [1.0] * 4
    assert not any(one.note for one in found)
