"""Tasks that tell two classes apart by random features: their data, their models, and what is learned of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.job.errors import JobError
from auditor.job.job_file import parse_job
from auditor.job.training import Training
from auditor.tasks.errors import CheckpointError, TrainingError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program
from tests.tasks.loading import network_task

CPU = torch.device("cpu")
JOB = """
[task]
kind = "random_fourier"
dataset = "digits"
{task}

[training]
steps = {steps}

[audit]
sub_run_steps = 1

[[providers]]
name = "a"
endpoint = "local:cpu"
primary = true

[[providers]]
name = "b"
endpoint = "local:cpu"
"""


def program(kind: str = "random_fourier", **keys: Any) -> Program:
    return load_program(network_task(kind, dataset="digits", **keys), Path())


def learner(made: Program, steps: int = 30, seed: int = 1) -> Learner:
    return made.learner(Training(steps=steps), device=CPU, seed=seed)


def trained(made: Program, steps: int) -> tuple[float, dict[str, Tensor]]:
    """The accuracy after some steps, and the checkpoint."""
    learns = learner(made, steps)
    for _ in range(steps):
        learns.execute_step()
    accuracy = made.accuracy(learns.evaluator)
    assert accuracy is not None
    return accuracy, learns.checkpoint()


def test_two_classes_are_kept_and_the_others_are_left_out_with_a_word() -> None:
    inventory = program(classes=(3, "8")).inventory
    assert [one.name for one in inventory.classes] == ["3", "8"]
    assert sum(one.training for one in inventory.classes) == inventory.training < 400
    assert any(remark.kind == "left out" and "other classes" in remark.text for remark in inventory.remarks)


def test_one_class_is_told_from_all_others() -> None:
    inventory = program(one_against_rest="3").inventory
    assert [one.name for one in inventory.classes] == ["not 3", "3"]
    assert inventory.training + inventory.held_out == 1797


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, r"has 10 classes.*task\.classes = \[0, 1\]"),
        ({"classes": (3, 12)}, r"task\.classes: there is no class 12; the data has 0 \(0\)"),
        ({"one_against_rest": "three"}, r"task\.one_against_rest: there is no class 'three'"),
    ],
)
def test_classes_that_are_not_there_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        program(**keys)


@pytest.mark.parametrize(
    ("task", "steps", "words"),
    [
        ("classes = [3, 3]", 1, "name two different classes"),
        ("classes = [3, 8]\none_against_rest = 3", 1, "remove one of the two"),
        ('classes = [3, 8]\nsolver = "ridge"', 5, "set training.steps = 1"),
        ("classes = [3, 8]\nridge = 0.5", 1, "goes with solver = 'ridge'"),
        ('classes = [3, 8]\nmodel = "resnet8"', 1, "'resnet8' is a model for tasks of kind 'vision'"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(task: str, steps: int, words: str) -> None:
    with pytest.raises(JobError) as caught:
        parse_job(JOB.format(task=task, steps=steps), source="job.toml")
    assert words in caught.value.problems[0].message


def test_features_are_drawn_from_the_seed_and_stay_as_they_are() -> None:
    made = program(features=40, one_against_rest=3)
    _, after = trained(made, 5)
    again, other = (learner(made, seed=seed).checkpoint() for seed in (1, 2))
    for name in ("model.features.directions", "model.features.phases"):
        assert torch.equal(after[name], again[name])
        assert not torch.equal(after[name], other[name])
    assert not torch.equal(after["model.head.weight"], again["model.head.weight"])


@pytest.mark.parametrize("kind", ["random_fourier", "random_relu"])
def test_a_checkpoint_with_other_features_than_the_clients_is_refused(kind: str) -> None:
    made = program(kind, features=40, classes=(0, 1))
    known = try_first_step(made, Training(), device=CPU, seed=1, whole_batch=False)
    checkpoint = trained(made, 3)[1]
    known.check(checkpoint, 3)
    name = "model.features.directions"
    changed = checkpoint[name].clone()
    changed[7, 7] += 1e-6
    with pytest.raises(CheckpointError, match=r"model\.features\.directions is not what the job gives it"):
        known.check(checkpoint | {name: changed}, 3)


def test_fourier_features_tell_digits_apart_by_descent_and_in_closed_form() -> None:
    """Of 41 held-out images a constant answer gets 21 at most."""
    assert trained(program(classes=(3, 8)), 150)[0] > 0.9
    accuracy, first = trained(program(classes=(3, 8), solver="ridge"), 1)
    assert accuracy > 0.9
    weights = first["model.head.weight"]
    assert torch.equal(weights[0], -weights[1])


def test_the_closed_form_is_a_minimum() -> None:
    """At w the gradient of ‖Φw − y‖² + λN‖w‖² is zero."""
    made = program(classes=(3, 8), solver="ridge", ridge=0.05, features=60)
    learns = learner(made, 1)
    learns.execute_step()
    features = learns.evaluator.features(made.samples).double()
    weights = learns.checkpoint()["model.head.weight"][1].double()
    wanted = 2 * made.dataset.labels.double() - 1  # type: ignore[attr-defined]
    gradient = features.T @ (features @ weights - wanted) + 0.05 * len(wanted) * weights
    assert float(gradient.abs().max()) < 1e-3 * float((features.T @ wanted).abs().max())


def test_rectified_features_learn_a_threshold_on_the_norm() -> None:
    made = program("random_relu", classes=(0, 1))
    before, after = learner(made).checkpoint(), trained(made, 100)
    moved = [name for name in before if not torch.equal(before[name], after[1][name]) and name.startswith("model.")]
    assert moved == ["model.head.threshold"]
    assert after[0] > 0.7
