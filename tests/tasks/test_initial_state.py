"""Weights that are there already become the initial state of a job, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from auditor.job import Training
from auditor.tasks.errors import TrainingError
from auditor.tasks.initial_state import initial_state
from tests.tasks.loading import network_program, network_task

PROGRAM = network_program(network_task(dataset="digits", model="resnet8"))
LEARNER = PROGRAM.learner(Training(steps=10), device=torch.device("cpu"), seed=2)
Weights = dict[str, Tensor]


def weights() -> Weights:
    """A model's parameters and buffers by their own names, all other than fresh ones."""
    return {
        name.removeprefix("model."): tensor + 1
        for name, tensor in LEARNER.checkpoint().items()
        if name.startswith("model.")
    }


@pytest.mark.parametrize("prefix", ["", "model."])
def test_parameters_and_buffers_are_taken_and_the_rest_is_fresh(tmp_path: Path, prefix: str) -> None:
    given = weights()
    save_file({f"{prefix}{name}": tensor for name, tensor in given.items()}, tmp_path / "a.safetensors")
    found = initial_state(tmp_path / "a.safetensors", LEARNER)
    fresh = LEARNER.checkpoint()
    assert found.keys() == fresh.keys()
    for name, tensor in found.items():
        expected = given[name.removeprefix("model.")] if name.startswith("model.") else fresh[name]
        assert torch.equal(tensor, expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda given: dict(list(given.items())[1:]), "is of another model: it has no "),
        (
            lambda given: {name.replace("linear.weight", "linear.weights"): one for name, one in given.items()},
            "it has no linear.weight (nearest is linear.weights)",
        ),
        (lambda given: given | {"more.weight": torch.zeros(2)}, "it has more.weight, which the job's model does not"),
        (lambda given: given | {"linear.bias": torch.zeros(3)}, "linear.bias as float32 [3], not as float32 [10]"),
        (lambda given: given | {"linear.bias": torch.zeros(10).double()}, "as float64 [10], not as float32 [10]"),
        (lambda given: given | {"linear.bias": torch.full((10,), torch.nan)}, "holds numbers that are not finite"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path: Path, change: Callable[[Weights], Weights], words: str) -> None:
    save_file(change(weights()), tmp_path / "a.safetensors")
    with pytest.raises(TrainingError) as caught:
        initial_state(tmp_path / "a.safetensors", LEARNER)
    assert words in str(caught.value)


def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no tensors")
    with pytest.raises(TrainingError, match="is not a safetensors file"):
        initial_state(tmp_path / "a.safetensors", LEARNER)
    with pytest.raises(TrainingError, match="cannot be read"):
        initial_state(tmp_path / "none.safetensors", LEARNER)
    with pytest.raises(TrainingError, match=r"training\.initial"):
        initial_state(tmp_path, LEARNER)
