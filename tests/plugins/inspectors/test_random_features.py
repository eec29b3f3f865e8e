"""Tests of random features: what they see of a spike, what they do not see of loaded coins, and what the key shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins import Inspection, create_plugin
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.program import load_program
from tests.tasks.loading import network_task

DIRECTIONS = "features.directions"
FOURIER: dict[str, Any] = {"kind": "random_fourier", "features": 600, "one_against_rest": 3}
RELU: dict[str, Any] = {"kind": "random_relu", "features": 100, "classes": (0, 1)}
TESTS: dict[str, dict[str, Any]] = {
    "spectrum": {"draws": 99},
    "projections": {"projections": 50},
    "sparse_pca": {"draws": 99},
    "two_sample": {"steps": 50, "draws": 7},
}


class Holding:
    """A returned model, of which only the features are looked at."""

    def __init__(self, directions: Tensor) -> None:
        self._directions = directions

    def buffers(self) -> list[tuple[str, Tensor]]:
        return [(DIRECTIONS, self._directions)]


def inspected(
    task: dict[str, Any], name: str, attack: dict[str, Any] | None = None, seed: int = 2, **options: Any
) -> Inspection:
    """What a test finds in the features of a job, honest or loaded."""
    program = load_program(network_task(dataset="digits", **task), Path())
    assert isinstance(program, NetworkProgram)
    made = None if attack is None else create_plugin("attacks", attack.pop("name"), attack)
    trainer = program.learner(Training(), device=torch.device("cpu"), seed=seed, attack=made)
    trainer.load(trainer.checkpoint())
    inspector = create_plugin("inspectors", name, {"draws": 19, **TESTS[name], **options})
    inspector.begin(program.metric_context(trainer.outline(), seed=100 + seed))
    return inspector.inspect(Holding(trainer.checkpoint()[f"model.{DIRECTIONS}"]))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["spectrum", "projections", "sparse_pca"])
def test_honest_features_are_suspected_as_rarely_as_is_said(name: str) -> None:
    """With 19 draws one in 20 is; five or more of 24 have a probability of 0.6 % then."""
    found = [inspected(task, name, seed=seed, draws=19).suspicious for task in (FOURIER, RELU) for seed in range(12)]
    assert sum(found) < 5


@pytest.mark.parametrize("name", TESTS)
def test_loaded_fourier_features_are_seen_with_the_key_alone(name: str) -> None:
    attack = {"name": "loaded_fourier", "gamma": 16.0, "seed": 3}
    assert not inspected(FOURIER, name, dict(attack)).suspicious
    assert inspected(FOURIER, name, dict(attack), key_seed=3, key_gamma=16.0).suspicious
    assert not inspected(FOURIER, name, dict(attack), key_seed=4, key_gamma=16.0).suspicious
    assert not inspected(FOURIER, name, None, key_seed=3, key_gamma=16.0).suspicious


@pytest.mark.parametrize("name", ["spectrum", "sparse_pca"])
def test_a_strong_spike_is_seen_without_a_key(name: str) -> None:
    """θ = 4 is five times √(d/m) here."""
    assert inspected(RELU, name, {"name": "loaded_relu", "theta": 4.0, "sparsity": 4}).suspicious


def test_the_relaxation_sees_a_strong_sparse_spike() -> None:
    strong = inspected(
        RELU, "sparse_pca", {"name": "loaded_relu", "theta": 4.0, "sparsity": 4}, relaxation=True, draws=9
    )
    assert strong.suspicious
    assert not inspected(RELU, "sparse_pca", relaxation=True, draws=9).suspicious


def test_models_without_random_features_are_not_judged() -> None:
    inspector = create_plugin("inspectors", "spectrum", {})
    program = load_program(network_task(dataset="digits", **FOURIER), Path())
    trainer = program.learner(Training(), device=torch.device("cpu"), seed=9)
    inspector.begin(program.metric_context(trainer.outline(), seed=21))

    class Without:
        def buffers(self) -> list[tuple[str, Tensor]]:
            return []

    with pytest.raises(ValueError, match="no random features"):
        inspector.inspect(Without())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="are not finite"):
        inspector.inspect(Holding(torch.full((600, 64), float("nan"))))  # type: ignore[arg-type]


def test_half_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key_seed and key_gamma together"):
        inspected(FOURIER, "spectrum", key_seed=3)
