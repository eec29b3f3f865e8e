"""A program of a client's keeps the promises of every kind of task, and what it does wrong is said."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from auditor.job.command_task import CommandTask
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.tasks.checkpoint import encode
from auditor.tasks.command.learner import CommandLearner
from auditor.tasks.contract_tests import TaskContract
from auditor.tasks.errors import CheckpointError, TrainingError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.program import load_program

PROGRAM = Path(__file__).with_name("programs.py")
CPU = torch.device("cpu")
TAIL = ["{checkpoint_in}", "{checkpoint_out}", "{start_step}", "{steps}", "{seed}"]


def task(mode: str = "tell", **keys: Any) -> CommandTask:
    return CommandTask.model_validate(
        {
            "command": ["{python}", "programs.py", mode, *TAIL],
            "begin": ["{python}", "programs.py", "begin", "-", "{checkpoint_out}", "0", "0", "{seed}"],
            "needs": [f"programs.py={PROGRAM}"],
            "buffers": ["*running_mean"],
            **keys,
        }
    )


def learner(mode: str = "tell", attack: Attack | None = None, **keys: Any) -> CommandLearner:
    program = load_program(task(mode, **keys), Path())
    made = program.learner(Training(steps=40), device=CPU, seed=1, attack=attack)
    assert isinstance(made, CommandLearner)
    return made


def run(made: CommandLearner, until: int) -> list[float | None]:
    return [None if loss is None else float(loss) for loss in made.execute(until)]


def whole(made: CommandLearner) -> bytes:
    return b"".join(bytes(piece) for piece in encode(made.checkpoint(), made.schema))


class TestCommand(TaskContract):
    training = Training(steps=40)

    def task(self) -> Task:
        return task()


def test_steps_executed_together_are_those_executed_one_by_one_and_tell_their_progress() -> None:
    together, single = learner(), learner()
    told = run(together, 5)
    for _ in range(5):
        single.execute_step()
    assert whole(together) == whole(single)
    assert together.step == 5
    assert 0.25 in told


def test_names_say_what_is_learned_what_is_kept_and_what_is_the_optimizers() -> None:
    outline = learner().outline()
    assert (outline.parameters, outline.buffers, outline.optimizer_state) == (
        ("bias", "weight"),
        ("epoch", "norm.running_mean"),
        ("weight.momentum",),
    )


FAULTS = {
    "fail": "the command ended with status 3 in steps 0 to 2: the disk is gone",
    "abort": "the command was ended by the signal SIGABRT in steps 0 to 2",
    "nothing": "the checkpoint after steps 0 to 2 was not written: the command left no file at {checkpoint_out}",
    "garbage": "the checkpoint after steps 0 to 2 is not a safetensors file",
    "names": "the checkpoint after steps 0 to 2 has no weight (nearest is wieght), which the state before had",
    "surplus": "the checkpoint after steps 0 to 2 has secret, which the state before had not",
    "shapes": "holds bias as float32 [5], and the state before as float32 [3]",
    "types": "holds bias as float64 [3], and the state before as float32 [3]",
}


@pytest.mark.parametrize("mode", FAULTS)
def test_a_program_that_fails_or_writes_something_else_is_named_with_what_it_did(mode: str) -> None:
    with pytest.raises(TrainingError) as caught:
        run(learner(mode), 2)
    assert FAULTS[mode] in str(caught.value)


def test_a_program_that_is_not_there_is_named() -> None:
    made = learner(command=["no-such-program", *TAIL])
    with pytest.raises(TrainingError, match="cannot start no-such-program: No such file or directory"):
        run(made, 1)


@pytest.mark.parametrize("mode", ["fill", "large"])
def test_a_program_that_fills_the_disk_is_ended(mode: str) -> None:
    with pytest.raises(TrainingError, match=r"task.gigabytes = 0.002"):
        run(learner(mode, gigabytes=0.002), 1)


def _is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _gone(processes: Sequence[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(_is_there, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(_is_there, processes))


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pids"
    monkeypatch.setenv("PIDS", str(path))
    return path


def _read(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()]


def test_a_program_that_hangs_is_ended_with_all_that_it_started(pids: Path) -> None:
    with pytest.raises(TrainingError, match=r"took longer than task.seconds = 1 for step 0"):
        run(learner("hang", seconds=1), 1)
    assert len(_read(pids)) == 2
    assert _gone(_read(pids))


def test_who_stops_listening_ends_the_program(pids: Path) -> None:
    execution = learner("hang").execute(1)
    while not pids.exists() or len(_read(pids)) < 2:
        assert next(execution) is None
    execution.close()  # type: ignore[attr-defined]
    assert _gone(_read(pids))


def test_what_a_program_leaves_behind_is_ended(pids: Path) -> None:
    run(learner("leave"), 1)
    assert _gone(_read(pids))


def test_a_program_is_not_told_where_auditor_keeps_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_HOME", "/somewhere")
    made = learner("environment")
    run(made, 1)
    assert not made.checkpoint()["model.bias"].any()


def test_a_program_that_draws_without_the_seed_is_found_out_before_anybody_trains() -> None:
    program = load_program(task("drawn"), Path())
    with pytest.raises(TrainingError, match=r"comes to another model.weight, so that no provider could replicate it"):
        try_first_step(program, Training(steps=40), device=CPU, seed=1, whole_batch=True)


def test_a_loss_that_is_no_number_is_found_out_before_anybody_trains() -> None:
    program = load_program(task("nan"), Path())
    with pytest.raises(TrainingError, match="the loss of the first training step is nan"):
        try_first_step(program, Training(steps=40), device=CPU, seed=1, whole_batch=True)


def test_counts_of_a_program_that_stand_still_at_first_accuse_nobody() -> None:
    program = load_program(task(), Path())
    known = try_first_step(program, Training(steps=40), device=CPU, seed=1, whole_batch=True)
    made = learner()
    run(made, 9)
    assert int(made.checkpoint()["model.epoch"]) == 2
    known.check(made.checkpoint(), 9)
    with pytest.raises(CheckpointError, match="its step is 9, not 10"):
        known.check(made.checkpoint(), 10)


def test_without_a_beginning_the_form_and_the_start_are_those_of_a_file(tmp_path: Path) -> None:
    made = learner()
    run(made, 3)
    own, kept = tmp_path / "own.safetensors", tmp_path / "kept.safetensors"
    state = {name.removeprefix("model."): tensor.clone() for name, tensor in made.state().items()}
    save_file(state, own)
    kept.write_bytes(whole(made))
    program = load_program(task(begin=[]), Path())
    for path in (own, kept):
        other = program.shaped_as(path).learner(Training(steps=40), device=CPU, seed=1)
        start = initial_state(path, other)
        other.load(start | {"step": torch.tensor(0)})
        assert {name: tensor.tolist() for name, tensor in other.state().items()} == {
            name: tensor.tolist() for name, tensor in made.state().items()
        }
    with pytest.raises(TrainingError, match=r"starts from a file. Name it with training.initial"):
        program.learner(Training(steps=40), device=CPU, seed=1)


class Doubled(Attack):
    """Executes the steps with another seed."""

    name = "doubled"

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        return [*arguments[:-1], str(int(arguments[-1]) + 1)]


def test_an_attack_changes_the_command() -> None:
    honest, adversary = learner(), learner(attack=Doubled(Attack.Options()))
    run(honest, 2)
    run(adversary, 2)
    assert whole(honest) != whole(adversary)


def test_files_of_any_size_are_the_same_to_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.tasks.command.state_file.PIECE", 5)
    in_pieces, at_once = learner(), learner()
    run(in_pieces, 2)
    monkeypatch.undo()
    run(at_once, 2)
    assert whole(in_pieces) == whole(at_once)


def test_own_names_lead_to_a_programs_file_and_back(tmp_path: Path) -> None:
    from auditor.tasks.command.state_file import read_state, write_state

    path = tmp_path / "state"
    names = ["weight", "model.weight", "step", "optimizer.weight", "optimizer", "model.optimizer.x"]
    save_file({name: torch.full((2,), float(number)) for number, name in enumerate(names)}, path)
    state = read_state(path, "it")
    write_state(tmp_path / "again", state)
    again = load_file(tmp_path / "again")
    assert {name: tensor[0].item() for name, tensor in again.items()} == dict(zip(names, range(6), strict=True))
