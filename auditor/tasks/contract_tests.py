"""What every kind of task must hold to."""

from __future__ import annotations

import math
import tempfile
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.tasks.checkpoint import OPTIMIZER, STEP, all_finite, encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program
from auditor.tasks.survey import survey
from auditor.tasks.variation import VARIATIONS

CPU = torch.device("cpu")
STEPS = 6


class Skipping(Attack):
    """Skips every second step, the first among them."""

    name = "skipping"

    def skips(self, step: int) -> bool:
        """Every even one."""
        return step % 2 == 0


class Rewriting(Attack):
    """Commits to numbers that are a tenth larger."""

    name = "rewriting"

    def on_checkpoint(self, tensors: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        """All parameters, enlarged."""
        return {
            name: 1.1 * tensor if name.startswith("model.") and tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }


class TaskContract(ABC):
    """Tests that the author of a kind of task subclasses; pytest runs them.

        class TestMyTask(TaskContract):
            def task(self) -> Task:
                return MyTask(dataset="…")

    A step must depend on the checkpoint, the seed and its own number alone, so that another provider can execute it.
    """

    training = Training(steps=40, batch_size=8)
    """How it is trained; override what the kind does not take."""

    @abstractmethod
    def task(self) -> Task:
        """A small task of the kind, whose steps take milliseconds."""

    def program(self) -> Program:
        """The task with its data, read once."""
        return _loaded(self.task())

    def learner(self, seed: int = 1, attack: Attack | None = None) -> Learner:
        """What executes it."""
        return self.program().learner(self.training, device=CPU, seed=seed, attack=attack, sub_run_steps=STEPS)

    def test_its_program_is_found_by_its_kind(self) -> None:
        """What the job file says leads to what executes it, and back."""
        task = self.task()
        assert type(task).model_validate_json(task.model_dump_json()) == task
        assert self.program().task == task

    def test_equal_data_has_equal_digests_and_every_part_has_one(self) -> None:
        """Providers can make sure that they train on the same."""
        program, again = self.program(), load_program(self.task(), Path())
        assert program.part_digests, "there is no part; name all data in `parts`"
        assert (program.digest, program.part_digests) == (again.digest, again.part_digests)

    def test_the_inventory_counts_what_is_trained_on(self) -> None:
        """People see what was read, and the plan's first look agrees with it."""
        program = self.program()
        inventory = program.inventory
        assert (inventory.training, inventory.held_out) == (len(program.samples), len(program.held_out_samples))
        assert not inventory.classes or sum(known.training for known in inventory.classes) == inventory.training
        assert all(remark.text and "\n" not in remark.text for remark in inventory.remarks)
        first_look = survey(self.task())
        assert first_look is None or [known.name for known in first_look.classes] == [
            known.name for known in inventory.classes
        ]

    def test_the_initial_state_follows_from_the_seed(self) -> None:
        """Equal seeds give equal bytes."""
        assert _bytes(self.learner(1)) == _bytes(self.learner(1))

    def test_names_say_how_state_divides(self) -> None:
        """Each tensor is a parameter, a buffer, optimizer state or the step."""
        learner = self.learner()
        evaluator = learner.evaluator
        model = {*evaluator.parameters, *evaluator.buffers}
        names = {name for name, _, _ in learner.schema.entries}
        assert evaluator.parameters, "nothing is trained"
        assert {name for name in names if name.startswith("model.")} == model
        others = {name for name in names if name not in model and not name.startswith(OPTIMIZER)}
        assert others == {STEP}, f"{sorted(others - {STEP})} must begin with model. or {OPTIMIZER}"

    def test_training_changes_parameters_and_counts_steps(self) -> None:
        """It learns something, with finite numbers."""
        learner = self.learner()
        before = learner.checkpoint()
        losses = [float(learner.execute_step()) for _ in range(STEPS)]
        after = learner.checkpoint()
        assert learner.step == STEPS
        assert int(after[STEP]) == STEPS
        assert all_finite(after)
        assert all(loss == loss for loss in losses), "a loss is not a number"
        assert any(not torch.equal(before[name], after[name]) for name in learner.evaluator.parameters)

    def test_a_step_depends_on_checkpoint_seed_and_number_alone(self) -> None:
        """Another machine that starts from the checkpoint in the middle comes to the same bytes."""
        learner = self.learner()
        for _ in range(STEPS):
            learner.execute_step()
        middle = learner.checkpoint()
        for _ in range(STEPS):
            learner.execute_step()
        other = self.learner()
        other.execute_step()  # what it did before does not matter
        torch.manual_seed(99)
        other.load(middle)
        for _ in range(STEPS):
            other.execute_step()
        assert _bytes(other) == _bytes(learner)

    def test_own_seeds_lead_elsewhere(self) -> None:
        """Another seed draws other batches, or whatever the kind draws; where it draws nothing, nothing changes."""
        start = self.learner(1).checkpoint()
        ends = []
        for seed in (1, 2):
            learner = self.learner(seed)
            learner.load(start)
            for _ in range(STEPS):
                learner.execute_step()
            ends.append(_bytes(learner))
        assert (ends[0] != ends[1]) is self.task().draws

    def test_evaluating_changes_nothing_and_context_has_samples(self) -> None:
        """Metrics are given samples that only the client's seed determines."""
        learner, program = self.learner(), self.program()
        before = _bytes(learner)
        context = program.metric_context(learner.outline(), 5)
        again = program.metric_context(learner.outline(), 5)
        assert torch.equal(context.probe, again.probe)
        assert len(context.probe) == len(program.held_out_samples)
        accuracy = program.accuracy(learner.evaluator)
        assert accuracy is None or 0 <= accuracy <= 1
        honest = Attack(Attack.Options())
        assert program.attack_success(learner.evaluator, honest) is None
        assert program.delivered_success(learner.evaluator, honest) is None
        assert _bytes(learner) == before

    def test_honest_variations_stay_near(self) -> None:
        """Other honest ways give finite numbers that are nearer to the usual end than that is to the start."""
        start = self.learner().checkpoint()
        ends = []
        for variation in VARIATIONS:
            learner = self.learner()
            with learner.varied(variation, self.training.precision):
                learner.load(start)
                for _ in range(STEPS):
                    learner.execute_step()
                ends.append(learner.checkpoint())
        names = self.learner().evaluator.parameters
        moved = _distance(start, ends[0], names)
        apart = [_distance(ends[0], end, names) for end in ends[1:]]
        assert all_finite(ends[-1])
        assert max(apart) < moved
        assert max(apart) > 0, "no variation changes how anything is rounded, so noise cannot be measured"

    def test_an_attack_skips_steps_and_rewrites_checkpoints(self) -> None:
        """The hooks that do not depend on the kind are called."""
        skipping = self.learner(attack=Skipping(Attack.Options()))
        honest = self.learner()
        for _ in range(min(STEPS, self.training.steps)):
            skipping.execute_step()
            honest.execute_step()
        assert skipping.step == honest.step
        assert _bytes(skipping) != _bytes(honest)
        rewriting = self.learner(attack=Rewriting(Attack.Options()))
        committed = rewriting.checkpoint()
        name = self.learner().evaluator.parameters[0]
        assert torch.equal(rewriting.state()[name].cpu(), committed[name]), "training goes on from what was committed"

    def test_a_returned_model_shows_what_the_outline_names(self) -> None:
        """Metrics find parameters, buffers and optimizer state under the names that they were given."""
        learner = self.learner()
        outline = learner.outline()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            path.write_bytes(_bytes(learner))
            model = CheckpointModel(path, path, learner.schema, learner.evaluator)
            assert tuple(name for name, _ in model.parameters()) == outline.parameters
            assert tuple(name for name, _ in model.buffers()) == outline.buffers
            assert {name for name, _ in model.optimizer_state()} == set(outline.optimizer_state)
            for name, tensor in model.parameters():
                pieces = [piece for _, piece in model.pieces("parameters", 1000, only=[name])]
                assert torch.equal(torch.cat(pieces), tensor.reshape(-1))


@cache
def _loaded(task: Task) -> Program:
    return load_program(task, Path())


def _bytes(learner: Learner) -> bytes:
    return b"".join(bytes(piece) for piece in encode(learner.checkpoint(), learner.schema))


def _distance(first: dict[str, Tensor], second: dict[str, Tensor], names: tuple[str, ...]) -> float:
    return math.sqrt(sum(float((first[name].double() - second[name].double()).square().sum()) for name in names))
