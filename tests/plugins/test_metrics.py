"""Every bundled metric is a distance, and each is the formula that it says it is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auditor.plugins import Metric, MetricContext, ReturnedModel, create_plugin, installed
from tests.plugins.models import CONTEXT, Models

NAMES = [plugin.name for plugin in installed("metrics") if plugin.package == "auditor"]
each_metric = pytest.mark.parametrize("name", NAMES)


def begun(name: str, context: MetricContext = CONTEXT, **options: Any) -> Metric[Any]:
    metric = create_plugin("metrics", name, options)
    metric.begin(context)
    return metric


def distance(metric: Metric[Any], one: ReturnedModel, other: ReturnedModel) -> float:
    return metric.distance(metric.represent(one), metric.represent(other))


def test_the_bundled_metrics_are_installed() -> None:
    assert set(NAMES) >= {"update", "output", "cka", "zest", "buffers"}


@each_metric
def test_a_distance_is_finite_positive_and_symmetric(name: str, models: Models) -> None:
    metric = begun(name)
    one, other = metric.represent(models["one"]), metric.represent(models["other"])
    there, back = metric.distance(one, other), metric.distance(other, one)
    assert math.isfinite(there)
    assert there > 0
    assert there == pytest.approx(back, rel=1e-12)


@each_metric
def test_equal_models_are_at_distance_zero(name: str, models: Models) -> None:
    metric = begun(name)
    copy = models.change("copy", "one", lambda _, value: value)
    assert distance(metric, models["one"], copy) == 0


@each_metric
def test_the_same_question_gets_the_same_answer(name: str, models: Models) -> None:
    first = distance(begun(name), models["one"], models["other"])
    metric = begun(name)
    metric.represent(models["start"])
    assert distance(metric, models["one"], models["other"]) == first


@each_metric
def test_the_more_a_model_is_changed_the_farther_it_is(name: str, models: Models) -> None:
    metric = begun(name)
    found = [distance(metric, models["one"], models.perturb("noisy", "one", size)) for size in (0.01, 0.05, 0.25)]
    assert 0 < found[0] < found[1] < found[2]


@each_metric
def test_a_model_of_zeros_is_far_from_others_and_no_failure(name: str, models: Models) -> None:
    metric = begun(name)
    zeros = models.change("zeros", "one", lambda _, value: torch.zeros_like(value))
    found = distance(metric, models["one"], zeros)
    assert math.isfinite(found)
    assert found > distance(metric, models["one"], models["other"])
    assert distance(metric, zeros, models["zeros"]) == 0


@each_metric
def test_a_bundled_metric_has_a_noise_floor_that_grows_with_k_up_to_its_limit(name: str) -> None:
    floor = begun(name).noise
    assert floor is not None
    values = [floor.at(1000, steps) for steps in (1, 10, 100, 1000, 10**6)]
    assert values == sorted(values)
    assert values[0] > 0
    assert values[-1] == floor.most
    assert floor.at(0, 1) > floor.at(1000, 1)


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


def test_cka_is_the_formula_of_the_paper(models: Models) -> None:
    samples, batch = 24, 8
    features = [models[name].features(CONTEXT.probe[:samples]).double().numpy() for name in ("one", "other")]
    sums = dict.fromkeys(("kl", "kk", "ll"), 0.0)
    for start in range(0, samples, batch):
        k, l = (part[start : start + batch] @ part[start : start + batch].T for part in features)  # noqa: E741
        sums["kl"] += unbiased_hsic(k, l)
        sums["kk"] += unbiased_hsic(k, k)
        sums["ll"] += unbiased_hsic(l, l)
    expected = 1 - sums["kl"] / math.sqrt(sums["kk"] * sums["ll"])
    metric = begun("cka", samples=samples, batch=batch)
    assert distance(metric, models["one"], models["other"]) == pytest.approx(expected, abs=1e-9)


def test_cka_takes_few_samples_and_refuses_fewer_than_four(models: Models) -> None:
    few = replace(CONTEXT, probe=CONTEXT.probe[:5])
    assert math.isfinite(distance(begun("cka", few), models["one"], models["other"]))
    with pytest.raises(ValueError, match="at least 4"):
        begun("cka", replace(CONTEXT, probe=CONTEXT.probe[:3]))


class Recorder:
    """A model that remembers the masks that it was shown; answers as the one that it wraps."""

    def __init__(self, model: ReturnedModel) -> None:
        self._model = model
        self.parameters = model.parameters
        self.start_parameters = model.start_parameters
        self.buffers = model.buffers
        self.optimizer_state = model.optimizer_state
        self.logits = model.logits
        self.features = model.features
        self.activations = model.activations
        self.shown: list[tuple[torch.Tensor, torch.Tensor]] = []

    def masked_logits(self, inputs: torch.Tensor, masks: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        known = list(islice(masks, len(inputs)))
        answers = self._model.masked_logits(inputs, known)
        self.shown = list(zip(known, answers, strict=True))
        return answers


def test_zest_weights_are_those_of_least_squares_on_the_masks(models: Models) -> None:
    metric = begun("zest", images=3, masks=40, cells=4)
    recorder = Recorder(models["one"])
    weights = metric.represent(recorder).numpy()
    expected = []
    for masks, answers in recorder.shown:
        cells = masks[:, 0, ::2, ::2].reshape(len(masks), -1).numpy()  # 8×8 pixels in 4×4 cells of 2×2
        assert cells[0].all()
        assert torch.equal(masks[:, 0], masks[:, 0, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2))
        solution, _, rank, _ = np.linalg.lstsq(cells.astype(np.float64), answers.double().numpy(), rcond=None)
        assert rank == 16
        expected.append(solution.reshape(-1))
    assert len(expected) == 3
    np.testing.assert_allclose(weights, np.concatenate(expected), atol=1e-9)


@pytest.mark.parametrize("norm", ["cosine", "l1", "l2", "linf"])
def test_zest_compares_weights_by_the_chosen_norm(norm: str, models: Models) -> None:
    metric = begun("zest", images=2, masks=40, norm=norm)
    one, other = (metric.represent(models[name]) for name in ("one", "other"))
    u, v = one.numpy(), other.numpy()
    expected = {
        "cosine": 1 - float(u @ v) / float(np.linalg.norm(u) * np.linalg.norm(v)),
        "l1": float(np.abs(u - v).sum()),
        "l2": float(np.linalg.norm(u - v)),
        "linf": float(np.abs(u - v).max()),
    }[norm]
    assert metric.distance(one, other) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_zest_refuses_fewer_masks_than_segments() -> None:
    with pytest.raises(ValueError, match="20 masks cannot determine 64 segments"):
        begun("zest", masks=20, cells=100)


def test_masked_pixels_are_the_mean_and_a_full_mask_changes_nothing(models: Models) -> None:
    model, images = models["one"], CONTEXT.reference[:2]
    full = torch.ones_like(images, dtype=torch.bool)[:, None]
    torch.testing.assert_close(torch.cat(model.masked_logits(images, full)), model.logits(images))
    first, second = model.masked_logits(images, ~full)
    torch.testing.assert_close(first, second)


def test_update_distance_is_the_difference_over_the_mean_update(models: Models) -> None:
    parameters = {name for name, _ in models["one"].parameters()}
    assert not any("running" in name or "num_batches" in name for name in parameters)
    flat = {
        name: np.concatenate(
            [
                value.double().numpy().reshape(-1)
                for key, value in sorted(models.weights(name).items())
                if key.removeprefix("model.") in parameters and key.startswith("model.")
            ]
        )
        for name in ("start", "one", "other")
    }
    moved = [float(np.linalg.norm(flat[name] - flat["start"])) for name in ("one", "other")]
    expected = float(np.linalg.norm(flat["one"] - flat["other"])) / (sum(moved) / 2)
    assert distance(begun("update"), models["one"], models["other"]) == pytest.approx(expected, rel=1e-9)


def test_update_distance_of_models_that_did_not_move_is_zero(models: Models) -> None:
    assert distance(begun("update"), models["start"], models["start"]) == 0


def test_output_distance_is_the_mean_distance_of_softmax_answers(models: Models) -> None:
    answers = [models[name].logits(CONTEXT.probe[:16]).double().softmax(1).numpy() for name in ("one", "other")]
    expected = float(np.sqrt(((answers[0] - answers[1]) ** 2).sum(1)).mean())
    assert distance(begun("output", samples=16), models["one"], models["other"]) == pytest.approx(expected, rel=1e-9)
