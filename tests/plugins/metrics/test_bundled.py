"""What holds for bundled metrics beside the contract of all metrics."""

from __future__ import annotations

import math

import pytest
import torch

from auditor.plugins import create_plugin, installed
from auditor.plugins.metric import fits
from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import Models

NAMES = [plugin.name for plugin in installed("metrics") if plugin.package == "auditor"]
each_metric = pytest.mark.parametrize("name", NAMES)


def test_the_bundled_metrics_are_installed() -> None:
    assert set(NAMES) >= {"update", "per_layer", "buffers", "optimizer", "output", "logits", "cka", "zest"}


@each_metric
def test_a_model_of_zeros_is_far_from_others_and_no_failure(name: str, models: Models) -> None:
    metric = begun(name)
    zeros = models.change("zeros", "one", lambda _, value: torch.zeros_like(value), every=True)
    found = distance(metric, models["one"], zeros)
    assert math.isfinite(found)
    assert found > distance(metric, models["one"], models["other"])
    assert distance(metric, zeros, models["zeros"]) == 0


@each_metric
def test_a_bundled_metric_serves_texts_too(name: str) -> None:
    tasks = create_plugin("metrics", name, {}).tasks
    assert fits("vision", tasks)
    assert fits("text", tasks)
    assert fits("another", tasks) == (name in ("buffers", "optimizer", "per_layer", "update"))
