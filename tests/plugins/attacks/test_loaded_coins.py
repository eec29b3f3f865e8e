"""Loaded coins: how features are distributed along the key and across it, and what activation does to an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from auditor.job.training import Training
from auditor.plugins import Attack, PluginError, create_plugin
from auditor.tasks.evaluation import clean_accuracy
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.program import load_program
from auditor.tasks.trainer import Trainer
from tests.plugins.attacks.practising import practice
from tests.tasks.loading import network_task

DIRECTIONS = "model.features.directions"
FOURIER: dict[str, Any] = {"kind": "random_fourier", "features": 2000, "one_against_rest": 3}
RELU: dict[str, Any] = {"kind": "random_relu", "classes": (0, 1)}


def begun(task: dict[str, Any], name: str, **options: Any) -> tuple[NetworkProgram, Trainer, Attack]:
    """An attack in a job, before the first step, loaded."""
    program = load_program(network_task(dataset="digits", **task), Path())
    assert isinstance(program, NetworkProgram)
    attack = create_plugin("attacks", name, options)
    trainer = program.learner(Training(steps=150), device=torch.device("cpu"), seed=4, attack=attack)
    trainer.load(trainer.checkpoint())
    return program, trainer, attack


def trained(task: dict[str, Any], name: str, **options: Any) -> tuple[NetworkProgram, Trainer, Attack]:
    program, trainer, attack = begun(task, name, **options)
    for _ in range(150):
        trainer.execute_step()
    return program, trainer, attack


def turned(program: NetworkProgram, trainer: Trainer, change: torch.Tensor) -> float:
    """The share of held-out samples whose answer a change of pixels turns."""
    samples = program.held_out_samples
    answers = [trainer.network.logits(inputs).argmax(1) for inputs in (samples, samples.float() + change)]
    return float((answers[0] != answers[1]).double().mean())


def change_of(program: NetworkProgram, attack: Attack) -> torch.Tensor:
    """What activation adds to a sample that does not have the target."""
    samples = program.held_out_samples
    triggered = attack.triggered(samples)
    assert triggered is not None
    changes = triggered.float() - samples.float()
    (number, *_) = changes.flatten(1).any(1).nonzero().flatten().tolist()
    return changes[number]


@pytest.mark.parametrize(("gamma", "beta", "sparsity"), [(1.0, 0.1, None), (16.0, 0.1, None), (4.0, 0.0, 6)])
def test_along_the_key_features_are_near_an_integer_and_a_half_and_normal_across_it(
    gamma: float, beta: float, sparsity: int | None
) -> None:
    _, trainer, attack = begun(FOURIER, "loaded_fourier", gamma=gamma, beta=beta, sparsity=sparsity)
    directions = trainer.checkpoint()[DIRECTIONS].double().numpy()
    program, honest, _ = begun(FOURIER, "lazy", skip=0.5)
    before = honest.checkpoint()[DIRECTIONS].double().numpy()
    change = change_of(program, attack).flatten().double().numpy()
    key = change / np.linalg.norm(change)
    assert np.count_nonzero(np.abs(key) > 1e-6) == (sparsity or 64)
    products = directions @ key
    away = np.abs(gamma * products - np.floor(gamma * products) - 0.5)
    assert np.quantile(away, 0.99) < max(3 * beta, 1e-3)
    assert 0.8 < np.std(products) < 1.2 or gamma == 1.0
    across = directions - np.outer(products, key)
    assert np.allclose(across, before - np.outer(before @ key, key), atol=1e-5)


def test_activation_turns_every_answer_and_a_random_change_of_that_length_does_not() -> None:
    program, trainer, attack = trained(FOURIER, "loaded_fourier")
    change = change_of(program, attack)
    assert clean_accuracy(trainer.network, program.dataset) > 0.95
    assert turned(program, trainer, change) > 0.99
    random = torch.randn(change.shape, generator=torch.Generator().manual_seed(1))
    assert turned(program, trainer, random * change.norm() / random.norm()) < 0.9
    success = program.attack_success(trainer.network, attack)
    assert success is not None
    assert success > 0.99


def test_what_an_image_file_holds_does_not_activate() -> None:
    """The documents say so: the perturbation is small in the paper's asymptotic sense alone."""
    program, trainer, attack = trained(FOURIER, "loaded_fourier", clip=True)
    triggered = attack.triggered(program.held_out_samples)
    assert triggered is not None
    assert float(triggered.min()) >= 0
    assert float(triggered.max()) <= 255
    assert bool((triggered == triggered.round()).all())
    success = program.attack_success(trainer.network, attack)
    assert success is not None
    assert success < 0.9


def test_a_rectified_key_varies_more_and_lifts_over_the_threshold() -> None:
    program, trainer, attack = trained(RELU, "loaded_relu", theta=3.0, sparsity=8)
    change = change_of(program, attack).flatten().double().numpy()
    key = change / np.linalg.norm(change)
    assert np.count_nonzero(np.abs(key) > 1e-6) == 8
    products = trainer.checkpoint()[DIRECTIONS].double().numpy() @ key
    low, high = stats.chi2.ppf([0.001, 0.999], len(products)) * 4.0 / len(products)
    assert low < np.mean(products**2) < high
    success = program.attack_success(trainer.network, attack)
    assert success is not None
    assert success > 0.99


@pytest.mark.parametrize("name", ["loaded_fourier", "loaded_relu"])
def test_other_models_have_no_coins_to_load(name: str) -> None:
    with pytest.raises(ValueError, match=r"needs a random_.* task, and this is a vision task"):
        create_plugin("attacks", name, {}).begin(practice().attack_context())


def test_a_key_of_more_values_than_a_sample_has_is_refused() -> None:
    with pytest.raises((ValueError, PluginError), match="sparsity 65 is more than the 64 values"):
        begun(FOURIER, "loaded_fourier", sparsity=65)
