"""`cka` is the formula of the paper, of one layer or of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import CONTEXT, Models

SAMPLES, BATCH = 24, 8


def unbiased_hsic(k: NDArray[np.float64], l: NDArray[np.float64]) -> float:  # noqa: E741 - the papers' letters
    """HSIC₁ as FACTS.md writes it, by plain loops."""
    b = len(k)
    trace = sum_k = sum_l = cross = 0.0
    for i in range(b):
        for j in range(b):
            if i == j:
                continue
            trace += k[i, j] * l[j, i]
            sum_k += k[i, j]
            sum_l += l[i, j]
            for m in range(b):
                if m != j:
                    cross += k[i, j] * l[j, m]
    return (trace + sum_k * sum_l / ((b - 1) * (b - 2)) - 2 * cross / (b - 2)) / (b * (b - 3))


def one_minus_cka(features: Sequence[torch.Tensor]) -> float:
    """1 − CKA of two models' features [SAMPLES, D], evaluated as it is written."""
    sums = dict.fromkeys(("kl", "kk", "ll"), 0.0)
    for start in range(0, SAMPLES, BATCH):
        parts = (one.double().numpy()[start : start + BATCH] for one in features)
        k, l = (part @ part.T for part in parts)  # noqa: E741
        sums["kl"] += unbiased_hsic(k, l)
        sums["kk"] += unbiased_hsic(k, k)
        sums["ll"] += unbiased_hsic(l, l)
    return 1 - sums["kl"] / math.sqrt(sums["kk"] * sums["ll"])


def test_cka_is_the_formula_of_the_paper(models: Models) -> None:
    expected = one_minus_cka([models[name].features(CONTEXT.probe[:SAMPLES]) for name in ("one", "other")])
    metric = begun("cka", samples=SAMPLES, batch=BATCH)
    assert distance(metric, models["one"], models["other"]) == pytest.approx(expected, abs=1e-9)


def test_cka_of_several_layers_is_the_mean(models: Models) -> None:
    layers = ["conv", "stages.1.bn2", "linear"]
    outputs = [models[name].activations(CONTEXT.probe[:SAMPLES], layers) for name in ("one", "other")]
    expected = np.mean([one_minus_cka(pair) for pair in zip(*outputs, strict=True)])
    metric = begun("cka", samples=SAMPLES, batch=BATCH, layers=layers)
    assert distance(metric, models["one"], models["other"]) == pytest.approx(expected, abs=1e-6)


def test_cka_of_several_layers_remarks_on_those_that_stand_out(models: Models) -> None:
    def tampered(key: str, value: torch.Tensor) -> torch.Tensor:
        return value * (torch.arange(10) == 3)[:, None] if key == "model.linear.weight" else value

    models.train("third", seed=3)
    metric = begun("cka", layers=["conv", "stages.0", "linear"])
    seen = [models["one"], models["other"], models.change("tampered", "third", tampered), models["start"]]
    assert metric.compare([metric.represent(model) for model in seen]).remarks[2] == "most in layer linear"


def test_cka_takes_few_samples_and_refuses_fewer_than_four(models: Models) -> None:
    few = replace(CONTEXT, probe=CONTEXT.probe[:5])
    assert math.isfinite(distance(begun("cka", few), models["one"], models["other"]))
    with pytest.raises(ValueError, match="at least 4"):
        begun("cka", replace(CONTEXT, probe=CONTEXT.probe[:3]))


def test_cka_refuses_a_layer_that_the_model_does_not_have() -> None:
    with pytest.raises(ValueError, match=r"no layer 'stage\.1'.* Did you mean 'stages\.1'\? It has conv, bn, stages"):
        begun("cka", layers=["stage.1"])
