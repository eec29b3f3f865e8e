"""What holds for bundled metrics beside the contract of all metrics."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from auditor.plugins import create_plugin, installed
from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import Models

NAMES = [plugin.name for plugin in installed("metrics") if plugin.package == "auditor"]
each_metric = pytest.mark.parametrize("name", NAMES)


def test_the_bundled_metrics_are_installed() -> None:
    assert set(NAMES) >= {"update", "per_layer", "buffers", "output", "logits", "cka", "zest"}


@each_metric
def test_a_model_of_zeros_is_far_from_others_and_no_failure(name: str, models: Models) -> None:
    metric = begun(name)
    zeros = models.change("zeros", "one", lambda _, value: torch.zeros_like(value))
    found = distance(metric, models["one"], zeros)
    assert math.isfinite(found)
    assert found > distance(metric, models["one"], models["other"])
    assert distance(metric, zeros, models["zeros"]) == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, {}) for name in NAMES),
        ("buffers", {"what": "statistics"}),
        ("buffers", {"what": "optimizer"}),
        ("cka", {"layers": ["stages.0", "linear"]}),
        *(("zest", {"norm": norm}) for norm in ("l1", "l2", "linf")),
        ("zest", {"segments": "superpixels"}),
    ],
)
def test_a_bundled_metric_has_a_noise_floor_that_grows_with_k_up_to_its_limit(
    name: str, options: dict[str, Any]
) -> None:
    floor = begun(name, **options).noise
    assert floor is not None
    values = [floor.at(1000, steps) for steps in (1, 10, 100, 1000, 10**6)]
    assert values == sorted(values)
    assert values[0] > 0
    assert values[-1] == floor.most
    assert floor.at(0, 1) > floor.at(1000, 1)


@each_metric
def test_a_bundled_metric_serves_texts_too(name: str) -> None:
    assert create_plugin("metrics", name, {}).tasks == {"vision", "text"}
