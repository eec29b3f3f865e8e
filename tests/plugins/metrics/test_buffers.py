"""`buffers` and `optimizer`: what is handed on beside the weights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import CONTEXT, Models


def statistics_apart(models: Models, first: str, second: str) -> float:
    one, other = models.weights(first), models.weights(second)
    squares = []
    for key in one:
        if not key.endswith("running_mean"):
            continue
        variance = key.replace("running_mean", "running_var")
        for mean, other_mean, spread, other_spread in zip(
            *(numbers.double().tolist() for numbers in (one[key], other[key], one[variance], other[variance])),
            strict=True,
        ):
            means = (mean - other_mean) ** 2 / ((spread + other_spread) / 2)
            squares.append(means + (math.log(spread) - math.log(other_spread)) ** 2 / 2)
    return math.sqrt(sum(squares) / len(squares))


def momentum_apart(models: Models, first: str, second: str) -> float:
    one, other = (
        np.concatenate(
            [value.double().numpy().reshape(-1) for key, value in models.weights(name).items() if "momentum" in key]
        )
        for name in (first, second)
    )
    return float(np.linalg.norm(one - other) / np.sqrt(np.linalg.norm(one) * np.linalg.norm(other)))


def test_statistics_are_compared_channel_by_channel(models: Models) -> None:
    found = distance(begun("buffers"), models["one"], models["other"])
    assert found == pytest.approx(statistics_apart(models, "one", "other"), rel=1e-6)


def test_momentum_is_compared_as_a_whole(models: Models) -> None:
    found = distance(begun("optimizer"), models["one"], models["other"])
    assert found == pytest.approx(momentum_apart(models, "one", "other"), rel=1e-6)


def test_each_sees_only_its_own(models: Models) -> None:
    warped = models.change("warped", "one", lambda key, value: value * 1.5 if key.endswith("running_var") else value)
    cleared = models.change(
        "cleared", "one", lambda key, value: value / 2 if key.startswith("optimizer.") else value, every=True
    )
    statistics, optimizer = begun("buffers"), begun("optimizer")
    assert distance(statistics, models["one"], warped) > 0
    assert distance(optimizer, models["one"], warped) == 0
    assert distance(statistics, models["one"], cleared) == 0
    assert distance(optimizer, models["one"], cleared) == pytest.approx(0.5 / math.sqrt(0.5), rel=1e-6)


def test_state_that_was_thrown_away_is_as_far_as_it_gets(models: Models) -> None:
    emptied = models.change(
        "emptied", "one", lambda key, value: torch.zeros_like(value) if "momentum" in key else value, every=True
    )
    metric = begun("optimizer")
    assert distance(metric, models["one"], emptied) > 100 * distance(metric, models["one"], models["other"])


def test_models_without_running_statistics_are_refused_before_the_run() -> None:
    bare = replace(CONTEXT, model=replace(CONTEXT.model, buffers=()))
    with pytest.raises(ValueError, match="no layer with running statistics"):
        begun("buffers", bare)


def test_an_optimizer_without_state_is_refused_before_the_run() -> None:
    plain = replace(CONTEXT, model=replace(CONTEXT.model, optimizer_state=()))
    with pytest.raises(ValueError, match="the optimizer keeps no state"):
        begun("optimizer", plain)
