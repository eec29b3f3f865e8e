"""A step depends on the checkpoint, the seed and its number alone, however the training is divided."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.job.network_task import NetworkTask
from auditor.job.text import TextTask
from auditor.job.training import Training
from auditor.tasks.checkpoint import decode, encode
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.ingredients import NamedIngredients
from auditor.tasks.trainer import Trainer
from tests.tasks.loading import load_dataset, network_task

SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9}
PLAIN = {"name": "sgd", "lr": 0.05, "momentum": 0.0}
ADAMW = {"name": "adamw", "lr": 1e-3}


@cache
def task_of(model: str) -> tuple[NetworkTask, Dataset]:
    texts = {"kind": "text", "dataset": "reviews", "max_length": 24}
    kind = texts if model in TextTask.models else {"dataset": "digits"}
    task = network_task(**kind, model=model)
    return task, load_dataset(task, Path())


def trainer(model: str, steps: int, seed: int = 3, **training: Any) -> Trainer:
    spec = Training.model_validate({"steps": steps, "batch_size": 16, **training})
    task, dataset = task_of(model)
    return Trainer(NamedIngredients(task, dataset), spec, device=torch.device("cpu"), seed=seed)


def encoded(trained: Trainer, tensors: Mapping[str, Tensor] | None = None) -> bytes:
    state = trained.checkpoint() if tensors is None else tensors
    return b"".join(bytes(piece) for piece in encode(state, trained.schema))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def advance(trained: Trainer, steps: int) -> None:
    for _ in range(steps):
        trained.execute_step()


@pytest.mark.parametrize(
    ("model", "steps", "training"),
    [
        pytest.param("resnet8", 60, {"optimizer": SGD}, id="sgd"),
        pytest.param("resnet8", 60, {"optimizer": PLAIN, "schedule": {"name": "triangular"}}, id="no momentum"),
        pytest.param("resnet8", 60, {"optimizer": ADAMW, "augment": ["crop", "flip"]}, id="adamw, augmented"),
        pytest.param(
            "resnet8", 60, {"optimizer": SGD, "schedule": {"name": "cosine", "warmup_steps": 15}}, id="sgd, cosine"
        ),
        pytest.param("resnet8", 60, {"optimizer": SGD, "augment": ["flip"], "precision": "bf16"}, id="bf16"),
        pytest.param("torchvision:mobilenet_v2", 12, {"optimizer": ADAMW, "batch_size": 4}, id="dropout"),
        pytest.param("transformer", 12, {"optimizer": ADAMW}, id="transformer"),
        pytest.param("transformer", 12, {"optimizer": SGD, "precision": "bf16"}, id="transformer, bf16"),
        pytest.param("embeddings", 12, {"optimizer": ADAMW}, id="embeddings"),
    ],
)
def test_any_division_into_sub_runs_gives_the_same_checkpoints(
    model: str, steps: int, training: dict[str, Any]
) -> None:
    whole = trainer(model, steps, **training)
    start = encoded(whole)
    boundaries = {0: digest(start)}
    for cut in range(steps // 12, steps + 1, steps // 12):
        advance(whole, cut - whole.step)
        boundaries[cut] = digest(encoded(whole))
    assert len(set(boundaries.values())) == 13
    for length in (steps // 6, steps // 12):
        received = start
        # A fresh trainer for every other sub-run, one that has trained before for the rest: neither may matter.
        used = trainer(model, steps, **training)
        for cut in range(length, steps + 1, length):
            executing = used if cut // length % 4 == 1 else trainer(model, steps, **training)
            executing.load(decode(received, executing.schema))
            advance(executing, length)
            received = encoded(executing)
            assert digest(received) == boundaries[cut]


def test_gradients_are_scaled_down_to_the_norm_that_the_job_gives() -> None:
    lr, norm = 0.5, 1e-3
    moved = []
    for clip in (norm, None):
        trained = trainer("embeddings", 1, optimizer={**PLAIN, "lr": lr, "weight_decay": 0.0}, clip_norm=clip)
        start = trained.checkpoint()
        advance(trained, 1)
        ends = trained.checkpoint()
        squares = sum(float((ends[n] - start[n]).square().sum()) for n in trained.evaluator.parameters)
        moved.append(squares**0.5)
    assert moved[0] == pytest.approx(lr * norm, rel=1e-3)
    assert moved[1] > 2 * moved[0]


def test_global_random_state_does_not_matter() -> None:
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        trained = trainer("torchvision:mobilenet_v2", 2, batch_size=4, augment=["crop"])
        torch.rand(seed)
        advance(trained, 2)
        results.append(digest(encoded(trained)))
    assert results[0] == results[1]


def test_another_seed_gives_another_training() -> None:
    one, other = (trainer("resnet8", 2, seed=seed) for seed in (3, 4))
    other.load(one.checkpoint())
    for trained in (one, other):
        advance(trained, 1)
    assert encoded(one) != encoded(other)


def test_training_learns_the_digits() -> None:
    trained = trainer("resnet8", 60, batch_size=32)
    _, dataset = task_of("resnet8")
    before = trained.network.accuracy(dataset.held_out_samples, dataset.held_out_labels)
    advance(trained, 60)
    after = trained.network.accuracy(dataset.held_out_samples, dataset.held_out_labels)
    assert before < 0.4
    assert after > 0.7


@pytest.mark.parametrize("model", ["transformer", "embeddings"])
def test_training_learns_the_reviews(model: str) -> None:
    trained = trainer(model, 150, batch_size=32, optimizer={"name": "adamw", "lr": 3e-3})
    _, dataset = task_of(model)
    before = trained.network.accuracy(dataset.held_out_samples, dataset.held_out_labels)
    advance(trained, 150)
    after = trained.network.accuracy(dataset.held_out_samples, dataset.held_out_labels)
    assert before < 0.65
    assert after > 0.8


def test_a_checkpoint_of_step_zero_has_the_schema_of_every_other() -> None:
    for optimizer in (SGD, PLAIN, ADAMW):
        trained = trainer("resnet8", 3, optimizer=optimizer)
        fresh = len(encoded(trained))
        advance(trained, 1)
        assert len(encoded(trained)) == fresh
        assert trained.step == 1


def test_a_checkpoint_does_not_change_when_training_goes_on() -> None:
    trained = trainer("resnet8", 3)
    checkpoint = trained.checkpoint()
    before = encoded(trained, checkpoint)
    advance(trained, 1)
    assert encoded(trained, checkpoint) == before
    assert encoded(trained) != before
