"""What a client's own code defines keeps the promises of every kind of task."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auditor.job.python_task import PythonTask
from auditor.job.task import Task
from auditor.job.training import AdamW, Training
from auditor.plugins import create_plugin
from auditor.plugins.attack import Attack, Recipe
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.contract_tests import TaskContract
from auditor.tasks.errors import TrainingError
from auditor.tasks.first_step import try_first_step
from tests.tasks.loading import network_program

WORKLOADS = "tests.tasks.own.workloads"
CPU = torch.device("cpu")


def task(factory: str, **keys: str) -> PythonTask:
    return PythonTask.model_validate({"module": WORKLOADS, "factory": factory, **keys})


class TestPlain(TaskContract):
    def task(self) -> Task:
        return task("plain")


class TestRMSprop(TaskContract):
    def task(self) -> Task:
        return task("rmsprop")


class TestImages(TaskContract):
    def task(self) -> Task:
        return task("images", samples="images")


class TestTexts(TaskContract):
    def task(self) -> Task:
        return task("texts", samples="texts")


class TestRegression(TaskContract):
    def task(self) -> Task:
        return task("regression")


class Slower(Attack):
    """Halves the learning rate."""

    name = "slower"

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        return Recipe(recipe.learning_rate / 2, recipe.weight_decay, recipe.augment, recipe.precision)


FACTORIES = ["plain", "rmsprop", "adagrad", "groups", "numbers", "drawing", "regression", "images"]


@pytest.mark.parametrize("factory", FACTORIES)
def test_a_step_follows_from_its_checkpoint_for_every_optimizer_schedule_and_draw(factory: str) -> None:
    program = network_program(task(factory))
    training = Training(steps=40, batch_size=16)
    learner = program.learner(training, device=CPU, seed=5)
    ends = []
    for _ in range(8):
        learner.execute_step()
        ends.append(learner.checkpoint())
    for first in (0, 3, 6):
        other = program.learner(training, device=CPU, seed=5)
        if first:
            other.load(ends[first - 1])
        for _ in range(first, 8):
            other.execute_step()
        assert _bytes(other.checkpoint(), other) == _bytes(ends[-1], learner)
    try_first_step(program, training, device=CPU, seed=5, whole_batch=True)


@pytest.mark.parametrize("factory", ["rmsprop", "groups"])
def test_a_schedule_is_that_of_an_uninterrupted_training_in_any_order_of_steps(factory: str) -> None:
    program = network_program(task(factory))
    training = Training(steps=40, batch_size=16)
    learner = program.learner(training, device=CPU, seed=5)
    rates = [learner._recipe(step).learning_rate for step in (0, 20, 39, 20, 0)]
    assert rates[0] == rates[4]
    assert rates[1] == rates[3]
    assert len(set(rates)) == 3


def test_an_attack_on_the_recipe_changes_the_training_of_own_optimizers_too() -> None:
    program = network_program(task("groups"))
    training = Training(steps=40, batch_size=16)
    ends = []
    for attack in (None, Slower(Attack.Options())):
        learner = program.learner(training, device=CPU, seed=5, attack=attack)
        for _ in range(3):
            learner.execute_step()
        ends.append(learner.checkpoint())
    assert not torch.equal(ends[0]["model.last.weight"], ends[1]["model.last.weight"])
    assert not torch.equal(ends[0]["model.inner.weight"], ends[1]["model.inner.weight"])


def test_images_in_steps_of_256_take_the_attacks_on_images() -> None:
    program = network_program(task("images", samples="images"))
    attack = create_plugin("attacks", "badnets", {"target": 0, "rate": 0.5})
    learner = program.learner(Training(steps=40, batch_size=16), device=CPU, seed=5, attack=attack)
    for _ in range(40):
        learner.execute_step()
    assert program.attack_success(learner.evaluator, learner.attack) == 1.0
    assert (program.accuracy(learner.evaluator) or 0) > 0.9


def test_texts_take_the_attacks_and_metrics_on_texts(tmp_path: Path) -> None:
    program = network_program(task("texts", samples="texts"))
    attack = create_plugin("attacks", "text_trigger", {"target": 0, "rate": 0.3, "position": "start"})
    training = Training(steps=200, batch_size=64, optimizer=AdamW(name="adamw", lr=3e-2))
    honest, poisoned = (program.learner(training, device=CPU, seed=5, attack=one) for one in (None, attack))
    paths = [tmp_path / "start", tmp_path / "honest", tmp_path / "poisoned"]
    paths[0].write_bytes(_bytes(honest.checkpoint(), honest))
    for learner, path in zip((honest, poisoned), paths[1:], strict=True):
        for _ in range(200):
            learner.execute_step()
        path.write_bytes(_bytes(learner.checkpoint(), learner))
    assert (program.accuracy(poisoned.evaluator) or 0) > 0.6
    assert (program.attack_success(poisoned.evaluator, attack) or 0) > 0.85
    assert (program.attack_success(honest.evaluator, attack) or 0) < 0.7
    for metric, options in (("zest", {"images": 8, "masks": 64}), ("output", {}), ("cka", {"layers": ["words"]})):
        made = create_plugin("metrics", metric, options)
        made.begin(program.metric_context(honest.outline(), 1))
        seen = [made.represent(CheckpointModel(path, paths[0], honest.schema, honest.evaluator)) for path in paths[1:]]
        assert made.distance(seen[0], seen[1]) > 0


@pytest.mark.parametrize(
    ("factory", "words"),
    [("plain", r"wants int64 inputs \[N, L\].* are float32 \[200, 6\]"), ("images", "are uint8")],
)
def test_what_is_no_text_is_not_taken_for_one(factory: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        network_program(task(factory, samples="texts"))


def test_a_batch_in_parts_has_the_gradients_of_the_whole() -> None:
    program = network_program(task("regression"))
    ends = []
    for count in (1, 3):
        learner = program.learner(Training(steps=40, batch_size=16, accumulate=count), device=CPU, seed=5)
        start = learner.checkpoint()
        for _ in range(3):
            learner.execute_step()
        ends.append(learner.checkpoint())
    for name in learner.evaluator.parameters:
        torch.testing.assert_close(ends[0][name], ends[1][name], rtol=1e-4, atol=1e-6)
        assert not torch.equal(ends[0][name], start[name])


def test_a_regression_has_no_accuracy_and_no_classes() -> None:
    program = network_program(task("regression"))
    learner = program.learner(Training(steps=40, batch_size=16), device=CPU, seed=5)
    assert program.accuracy(learner.evaluator) is None
    assert program.classes == 0
    assert program.inventory.classes == ()
    with pytest.raises(ValueError, match="do not tell classes apart"):
        create_plugin("metrics", "logits", {}).begin(program.metric_context(learner.outline(), 1))


def _bytes(checkpoint: dict[str, torch.Tensor], learner: object) -> bytes:
    schema = learner.schema  # type: ignore[attr-defined]
    return b"".join(bytes(piece) for piece in encode(checkpoint, schema))
