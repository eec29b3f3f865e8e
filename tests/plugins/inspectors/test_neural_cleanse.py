"""`neural_cleanse`: it finds the target of a backdoor, and is its authors' definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.plugins import Inspector, MetricContext, generator
from tests.plugins.inspectors import trained
from tests.plugins.models import CONTEXT, Models

QUICK = {"epochs": 60, "samples": 32, "batch": 16, "patience": 4, "cost": 0.01}


def begun(context: MetricContext = CONTEXT, **options: Any) -> Inspector:
    """The inspector with these options, told of the job."""
    return trained.begun("neural_cleanse", context, **options)


def test_the_target_of_a_backdoor_stands_out_more_than_any_class_of_a_clean_model(models: Models) -> None:
    bad, good = (trained.inspected(models, "neural_cleanse", backdoor=one, **QUICK) for one in (True, False))
    assert bad.details["suspected"] == trained.TARGET
    assert bad.suspicious
    assert bad.score > good.score
    assert bad.score == bad.details["indices"][trained.TARGET]
    assert bad.details["norms"][trained.TARGET] < 0.5 * min(good.details["norms"])
    assert list(bad.pictures)[:2] == ["class 3 trigger", "class 3 mask"]
    mask = bad.pictures["class 3 mask"][:, :, 0]
    assert mask[5:, 5:].mean() > 4 * mask[:5, :5].mean()  # where BadNets puts its patch
    assert mask.sum() / 255 == pytest.approx(bad.details["norms"][3], rel=0.2)
    for found in (bad, good):
        assert found.details["reached"] == [True] * 10
        assert found.threshold == 2


def test_a_class_whose_trigger_does_not_work_is_not_held_for_a_target(models: Models) -> None:
    found = begun(epochs=1, samples=32, success=1.0).inspect(models["one"])
    assert not found.details["reached"][found.details["suspected"]]
    assert not found.suspicious


def test_it_says_before_it_starts_that_texts_have_no_pixels() -> None:
    with pytest.raises(ValueError, match="does not support text tasks, only vision"):
        begun(replace(CONTEXT, task="text"))


def test_it_says_that_two_norms_have_no_outlier() -> None:
    with pytest.raises(ValueError, match=r"there are 2 classes.* needs 3 or more"):
        begun(replace(CONTEXT, classes=2))


def test_another_seed_starts_elsewhere(models: Models) -> None:
    one, other = (begun(epochs=1, samples=32, seed=seed).inspect(models["one"]) for seed in (0, 1))
    assert one.details["norms"] != other.details["norms"]


def test_the_anomaly_index_is_the_distance_from_the_median_in_robust_deviations(models: Models) -> None:
    found = begun(epochs=2, samples=32).inspect(models["one"])
    norms = np.array(found.details["norms"])
    middle = np.sort(norms)[4:6].mean()  # of ten norms the median lies between two
    deviation = 1.4826 * np.sort(np.abs(norms - middle))[4:6].mean()
    assert found.details["indices"] == pytest.approx(list(np.abs(norms - middle) / deviation))
    assert found.score == found.details["indices"][int(norms.argmin())]


def test_a_model_of_zeros_is_no_failure(models: Models) -> None:
    zeros = models.change("zeros", "one", lambda _, value: torch.zeros_like(value))
    found = begun(epochs=12, samples=32, patience=2).inspect(zeros)
    assert math.isfinite(found.score)
    assert found.details["reached"] == [True] + [False] * 9  # it takes everything for class 0


def test_of_a_model_without_finite_outputs_nothing_is_said(models: Models) -> None:
    broken = models.change("broken", "one", lambda name, value: value * math.inf if "linear" in name else value)
    with pytest.raises(ValueError, match="outputs for images with a trigger are not finite"):
        begun(epochs=1, samples=32).inspect(broken)


def as_the_authors(
    model: Callable[[torch.Tensor], torch.Tensor],
    label: int,
    images: torch.Tensor,
    options: dict[str, Any],
) -> tuple[float, int]:
    """One class by itself, step by step as the authors' `visualizer.py` does it; the best norm, and the epochs."""
    drawn = generator(CONTEXT.seed, "neural_cleanse start").uniform(1e-3, 1 - 1e-3, size=(10, 2, 8, 8))[label]
    mask, pattern = torch.from_numpy(np.arctanh(2 * drawn - 1)).float()[:, None]
    adam = torch.optim.Adam([mask.requires_grad_(), pattern.requires_grad_()], lr=0.1, betas=(0.5, 0.9))
    cost, best, best_seen = 0.0, math.inf, math.inf
    set_counter = up_counter = down_counter = stop_counter = 0
    up_flag = down_flag = False
    epoch = 0
    for epoch in range(options["epochs"]):
        order = torch.from_numpy(generator(CONTEXT.seed, "neural_cleanse order 0", epoch).permutation(len(images)))
        successes, norms = [], []
        for part in torch.split(order, options["batch"]):
            x, m, p = images[part].float() / 255, (mask.tanh() + 1) / 2, (pattern.tanh() + 1) / 2
            outputs = model(((1 - m) * x + m * p) * 255)
            loss = torch.nn.functional.cross_entropy(outputs, torch.full((len(x),), label)) + cost * m.abs().sum()
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
            successes.append(float((outputs.argmax(1) == label).float().mean()))
            norms.append(float(m.detach().abs().sum()))
        works, norm = np.mean(successes) >= options["success"], float(np.mean(norms))
        if works and norm < best:
            best = norm
        if best < math.inf:
            stop_counter = stop_counter + 1 if best >= best_seen else 0
            best_seen = min(best, best_seen)
            if up_flag and down_flag and stop_counter >= 5 * options["patience"]:
                break
        set_counter = set_counter + 1 if cost == 0 and works else 0
        if set_counter >= options["patience"]:
            cost, set_counter, up_counter, down_counter = options["cost"], 0, 0, 0
            up_flag = down_flag = False
        up_counter, down_counter = (up_counter + 1, 0) if works else (0, down_counter + 1)
        if up_counter >= options["patience"]:
            up_counter, cost, up_flag = 0, cost * 2, True
        elif down_counter >= options["patience"]:
            down_counter, cost, down_flag = 0, cost / 2**1.5, True
    return best, epoch + 1


def test_all_classes_side_by_side_are_searched_as_the_authors_search_each(models: Models) -> None:
    options: dict[str, Any] = {"epochs": 40, "samples": 32, "batch": 16, "success": 0.9, "cost": 0.05, "patience": 2}
    found = begun(**options).inspect(models["one"])
    assert len(set(found.details["epochs"])) > 1  # some classes end before others
    for label in (0, 4, 9):
        norm, epochs = as_the_authors(models["one"].differentiable(), label, CONTEXT.probe[:32], options)
        assert found.details["epochs"][label] == epochs
        assert found.details["norms"][label] == pytest.approx(norm, rel=1e-3)
