"""Learning rates at the ends of their schedules."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.job.training import Training
from auditor.tasks.optimization import learning_rate


def rates(steps: int, **schedule: Any) -> list[float]:
    spec = Training.model_validate(
        {"steps": steps, "optimizer": {"name": "sgd", "lr": 0.4}, "schedule": schedule or {"name": "constant"}}
    )
    return [learning_rate(spec, step) for step in range(steps)]


def test_constant_stays() -> None:
    assert rates(5) == [0.4] * 5


def test_cosine_starts_at_the_full_rate_and_falls_to_nearly_nothing() -> None:
    found = rates(1000, name="cosine")
    assert found[0] == 0.4
    assert found[500] == pytest.approx(0.2)
    assert 0 < found[-1] < 1e-5
    assert found == sorted(found, reverse=True)


def test_cosine_ends_near_its_final_share() -> None:
    assert rates(1000, name="cosine", final=0.25)[-1] == pytest.approx(0.1, abs=1e-5)


def test_cosine_warms_up_linearly() -> None:
    found = rates(100, name="cosine", warmup_steps=4)
    assert found[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    assert found[5] < 0.4


def test_a_warm_up_longer_than_the_training_only_rises() -> None:
    assert rates(3, name="cosine", warmup_steps=10) == pytest.approx([0.04, 0.08, 0.12])


def test_triangular_rises_to_its_peak_and_falls_on_both_sides_to_more_than_nothing() -> None:
    found = rates(99, name="triangular", peak=0.25)
    assert found.index(max(found)) == 24
    assert max(found) == pytest.approx(0.4)
    assert found[0] == pytest.approx(0.4 * 0.01 / 0.25)
    assert found[-1] == pytest.approx(0.4 * 0.01 / 0.75)
    assert found[:25] == sorted(found[:25])
    assert found[24:] == sorted(found[24:], reverse=True)


@pytest.mark.parametrize("name", ["constant", "cosine", "triangular"])
def test_a_single_step_has_a_rate(name: str) -> None:
    (rate,) = rates(1, name=name)
    assert 0 < rate <= 0.4
