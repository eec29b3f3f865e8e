"""`update` and `per_layer`: what training changed, read from the files."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auditor.plugins import generator
from auditor.tasks.checkpoint import Schema, encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluator import Evaluator
from tests.memory import Memory
from tests.plugins.metrics.begun import begun, distance
from tests.plugins.models import Models

Weights = dict[str, NDArray[np.float64]]


def parameters(models: Models, name: str) -> Weights:
    names = {name for name, _ in models["one"].parameters()}
    assert not any("running" in name or "num_batches" in name for name in names)
    return {
        key.removeprefix("model."): value.double().numpy().reshape(-1)
        for key, value in models.weights(name).items()
        if key.startswith("model.") and key.removeprefix("model.") in names
    }


def changes(models: Models, name: str, layer: str = "") -> NDArray[np.float64]:
    """What training changed, of all parameters or of those of a layer, as one vector."""
    before, after = parameters(models, "start"), parameters(models, name)
    return np.concatenate([after[key] - before[key] for key in before if key.startswith(layer)])


def test_update_is_the_difference_over_the_mean_update(models: Models) -> None:
    one, other = changes(models, "one"), changes(models, "other")
    expected = np.linalg.norm(one - other) / ((np.linalg.norm(one) + np.linalg.norm(other)) / 2)
    assert distance(begun("update"), models["one"], models["other"]) == pytest.approx(expected, rel=1e-6)


def test_per_layer_is_the_largest_difference_over_the_geometric_mean(models: Models) -> None:
    layers = {key.rpartition(".")[0] for key in parameters(models, "one")}
    found = []
    for layer in layers:
        one, other = (changes(models, name, f"{layer}.") for name in ("one", "other"))
        found.append(np.linalg.norm(one - other) / np.sqrt(np.linalg.norm(one) * np.linalg.norm(other)))
    assert distance(begun("per_layer"), models["one"], models["other"]) == pytest.approx(max(found), rel=1e-6)


@pytest.mark.parametrize("name", ["update", "per_layer"])
def test_models_that_did_not_move_are_at_distance_zero(name: str, models: Models) -> None:
    assert distance(begun(name), models["start"], models["start"]) == 0


def test_per_layer_names_the_layers_in_which_a_model_stands_out(models: Models) -> None:
    models.train("third", seed=3)
    shift = generator(1, "shift")

    def tampered(key: str, value: torch.Tensor) -> torch.Tensor:
        if key == "model.stages.1.conv2.weight":
            return value + torch.from_numpy(shift.normal(size=tuple(value.shape))).float()
        return value

    metric = begun("per_layer")
    seen = [models["one"], models.change("tampered", "other", tampered), models["third"]]
    comparison = metric.compare([metric.represent(model) for model in seen])
    assert comparison.remarks[1] == "most in layer stages.1.conv2"
    assert comparison.distances[1][0] > 2 * comparison.distances[2][0]


def test_nothing_is_remarked_where_models_are_equal(models: Models) -> None:
    metric = begun("per_layer")
    same = [metric.represent(models["one"]) for _ in range(3)]
    assert list(metric.compare(same).remarks) == ["", "", ""]


@pytest.mark.parametrize("name", ["update", "per_layer"])
def test_weights_whose_squares_float32_cannot_hold_are_far_and_no_failure(name: str, models: Models) -> None:
    def huge(key: str, value: torch.Tensor) -> torch.Tensor:
        return torch.full_like(value, 1e30) if key == "model.linear.weight" else value

    metric = begun(name)
    found = distance(metric, models["one"], models.change("huge", "one", huge))
    assert np.isfinite(found)
    assert found > distance(metric, models["one"], models["other"])


def test_a_change_that_is_tiny_beside_the_weights_is_seen_exactly(models: Models) -> None:
    def nudged(key: str, value: torch.Tensor) -> torch.Tensor:
        if key == "model.linear.weight":
            value = value.clone()
            value[0, 0] = torch.nextafter(value[0, 0], torch.tensor(9.0))
        return value

    nudge = models.change("nudged", "one", nudged)
    one, other = changes(models, "one"), changes(models, "nudged")
    expected = np.linalg.norm(one - other) / ((np.linalg.norm(one) + np.linalg.norm(other)) / 2)
    assert 0 < expected < 1e-6
    assert distance(begun("update"), models["one"], nudge) == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells mapped files from other memory")
def test_a_large_tensor_is_read_piece_by_piece(tmp_path: Path) -> None:
    side = 4096
    evaluator = cast(Evaluator, SimpleNamespace(parameters=("model.weight",), buffers=()))
    draws = torch.Generator().manual_seed(0)
    for name in ("start", "one", "other"):
        tensors = {"model.weight": torch.randn(side, side, generator=draws)}
        (tmp_path / name).write_bytes(b"".join(bytes(piece) for piece in encode(tensors, Schema.of(tensors))))
    schema = Schema.of(tensors)
    del tensors
    seen = [CheckpointModel(tmp_path / name, tmp_path / "start", schema, evaluator) for name in ("one", "other")]
    with Memory() as memory:
        found = [distance(begun(name), *seen) for name in ("update", "per_layer")]
    assert found == pytest.approx([1.0, 1.0], rel=1e-2)  # three unrelated models: an equilateral triangle
    assert memory.grown < schema.size / 8
