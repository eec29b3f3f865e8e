"""What the client knows of every checkpoint beforehand: honest ones have it, whatever the job; others are refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins.catalogue import Catalogue
from auditor.tasks.errors import CheckpointError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.known_values import TOLERANCE, KnownValues, distance
from tests.tasks.loading import network_program, network_task

CPU = torch.device("cpu")
STEPS = 3
TASKS: dict[str, dict[str, Any]] = {
    "resnet8": {"dataset": "digits"},
    "resnet9": {"dataset": "digits"},
    "transformer": {"dataset": "reviews", "kind": "text"},
    "embeddings": {"dataset": "reviews", "kind": "text"},
}
ADAM = {"name": "adamw", "lr": 1e-3}
SGD = {"name": "sgd", "lr": 0.05}


@cache
def made(model: str, optimizer: str, attack: str = "") -> tuple[KnownValues, dict[str, Tensor]]:
    """What is known of a job, and a checkpoint of its third step."""
    task = network_task(**(TASKS[model] | {"model": model}))
    spec = Training.model_validate(
        {"steps": 10, "batch_size": 16, "optimizer": ADAM if optimizer == "adamw" else SGD, "precision": "fp32"}
    )
    program = network_program(task)
    known = try_first_step(program, spec, device=CPU, seed=3, whole_batch=False)
    lazy = Catalogue().create_attack({"name": "lazy", "skip": 0.7}) if attack else None
    trainer = program.learner(spec, device=CPU, seed=5, attack=lazy)
    for _ in range(STEPS):
        trainer.execute_step()
    return known, trainer.checkpoint()


@pytest.mark.parametrize("model", TASKS)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_honest_checkpoint_has_what_is_known(model: str, optimizer: str) -> None:
    known, checkpoint = made(model, optimizer)
    known.check(checkpoint, STEPS)


def test_a_simulated_provider_that_skips_steps_claims_to_have_counted_them() -> None:
    known, checkpoint = made("resnet8", "adamw", "lazy")
    known.check(checkpoint, STEPS)


def set_to(name: str, value: float) -> Callable[[dict[str, Tensor]], None]:
    def change(checkpoint: dict[str, Tensor]) -> None:
        found = next(one for one in checkpoint if one.endswith(name))
        checkpoint[found] = checkpoint[found].clone()
        checkpoint[found].view(-1)[-1] = value

    return change


@pytest.mark.parametrize(
    ("model", "change", "words"),
    [
        ("resnet8", set_to("step", 4), "its step is 4, not 3"),
        ("resnet8", set_to("step", -(2**63)), "not 3"),
        ("resnet8", set_to("num_batches_tracked", -(2**63)), "num_batches_tracked is -9223372036854775808, not 3"),
        ("resnet8", set_to("num_batches_tracked", 2), "num_batches_tracked is 2, not 3"),
        ("embeddings", set_to(".step", 1000), "step is 1000.0, not 3.0"),
        ("embeddings", set_to(".step", 0), "step is 0.0, not 3.0"),
        ("embeddings", set_to(".step", float("nan")), "step is nan, not 3.0"),
        ("embeddings", set_to(".exp_avg_sq", -1e-20), "negative numbers"),
    ],
)
def test_a_checkpoint_that_no_execution_has_is_refused(
    model: str, change: Callable[[dict[str, Tensor]], None], words: str
) -> None:
    known, checkpoint = made(model, "adamw" if model == "embeddings" else "sgd")
    changed = dict(checkpoint)
    change(changed)
    with pytest.raises(CheckpointError, match=words):
        known.check(changed, STEPS)


def test_integers_and_truth_values_that_training_leaves_alone_must_stay_as_they_were() -> None:
    before = {
        "model.table": torch.arange(4),
        "model.mask": torch.tensor([True, False]),
        "model.visits": torch.tensor([1, 2]),
        "step": torch.tensor(0),
    }
    known = KnownValues.of(before, before | {"model.visits": torch.tensor([4, 2]), "step": torch.tensor(1)})
    later = before | {"model.visits": torch.tensor([9, 9]), "step": torch.tensor(2)}
    known.check(later, 2)
    no_truth = torch.tensor([1, 7], dtype=torch.uint8).view(torch.bool)
    for changed in ({"model.table": torch.tensor([0, 1, 3, 2])}, {"model.mask": no_truth}):
        with pytest.raises(CheckpointError, match="not what the job gives it"):
            known.check(later | changed, 2)


def test_adam_counts_no_further_than_its_numbers_are_exact() -> None:
    before = {"optimizer.w.step": torch.tensor(0.0), "step": torch.tensor(0)}
    known = KnownValues.of(before, {"optimizer.w.step": torch.tensor(1.0), "step": torch.tensor(1)})
    steps = 2**24 + 5
    stuck = torch.tensor(float(2**24))
    assert torch.equal(stuck + 1, stuck)
    known.check({"optimizer.w.step": stuck, "step": torch.tensor(steps)}, steps)


@pytest.mark.parametrize("model", ["resnet8", "transformer"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_follows_from_no_seed_is_known_of_whoevers_initial_state(model: str, optimizer: str) -> None:
    task = network_task(**(TASKS[model] | {"model": model}))
    spec = Training.model_validate({"steps": 10, "batch_size": 16, "optimizer": ADAM if optimizer == "adamw" else SGD})
    program = network_program(task)
    first, second, third = (program.learner(spec, device=CPU, seed=seed).checkpoint() for seed in (1, 2, 3))
    known = made(model, optimizer)[0].for_any_seed(first, second)
    known.check(third, 0)
    known.check(made(model, optimizer)[1], STEPS)  # later all of it may have changed
    for name in (min(name for name in third if name.startswith("optimizer.") and third[name].ndim), min(known.fresh)):
        with pytest.raises(CheckpointError, match="is not what training starts with, whatever the seed"):
            known.check(third | {name: third[name] + 0.01}, 0)
    rounded = {name: third[name] * (1 + TOLERANCE / 10) for name in known.fresh}
    known.check(third | rounded, 0)


def test_a_distance_is_a_share_of_the_largest_number_and_one_where_nothing_is_comparable() -> None:
    expected = {"a": torch.tensor([1.0, -4.0]), "b": torch.zeros(2), "c": torch.tensor([1, 2]), "d": torch.zeros(0)}
    assert distance(expected, expected) == 0
    assert distance(expected | {"a": torch.tensor([1.0, -4.002])}, expected) == pytest.approx(0.0005, rel=1e-3)
    for other in (
        {"a": torch.tensor([1.0, 4.0])},
        {"a": torch.tensor([1.0, float("nan")])},
        {"a": torch.tensor([1.0, float("inf")])},
        {"b": torch.tensor([0.0, 1e-30])},
        {"c": torch.tensor([1, 3])},
    ):
        assert distance(expected | other, expected) == 1
