"""The keys of tasks that a client's own program executes."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.job import JobError, parse_job
from auditor.job.command_task import CommandTask

PROVIDERS = """
[[providers]]
name = "a"
endpoint = "local:cpu"
primary = true
[[providers]]
name = "b"
endpoint = "local:cpu"
"""
COMMAND = (
    'command = ["./train", "{checkpoint_in}", "{checkpoint_out}", "{start_step}", "{steps}"]\nbegin = ["./begin", '
    '"{checkpoint_out}"]'
)


def problem(keys: str, folder: Path | None = None) -> str:
    with pytest.raises(JobError) as caught:
        parse_job(f'[task]\nkind = "command"\n{keys}\n{PROVIDERS}', folder=folder or Path("/nowhere"))
    return str(caught.value)


MISTAKES = {
    "": "task.command: is missing and has no default",
    "command = []": "task.command",
    'command = "./train"': "task.command: './train' is not allowed: it should be a list",
    'command = ["./train", "{checkpoint}"]': "{checkpoint} stands for nothing",
    'command = ["./train", "{checkpoint_in}", "{checkpoint_out}", "{steps}"]': "does not hold {start_step}, the number",
    COMMAND.replace('"{checkpoint_out}"]', '"x"]'): "begin: does not hold {checkpoint_out}",
    COMMAND.partition("\n")[0]: "training.initial: is needed here: name a file with the initial state, or give task.be",
    COMMAND + '\nneeds = ["/bin/true"]': "does not lie beside the job file or below it",
    COMMAND + "\nseconds = 0": "task.seconds",
    COMMAND + '\npython = { module = "my-model.txt" }': "task.python.module: 'my-model.txt' is neither a Python file",
    COMMAND + '\npython = { modul = "model.py" }': "task.python.modul: is not a known key here",
    COMMAND + '\ndataset = "digits"': "task.dataset: is a key of",
    COMMAND + "\n[training]\nbatch_size = 3": "training.batch_size: a command task takes no batch_size",
    COMMAND + "\n[training]\noptimizer = { lr = 0.1 }": "training.optimizer",
}


@pytest.mark.parametrize("keys", MISTAKES)
def test_a_command_that_cannot_be_is_refused(keys: str) -> None:
    assert MISTAKES[keys] in problem(keys)


def test_the_nearest_placeholder_is_suggested_and_other_braces_are_left_alone() -> None:
    assert "Did you mean '{start_step}'?" in problem('command = ["./train", "{start_steps}"]')
    text = COMMAND.replace('"./train"', '"./train", "{\\"rate\\": 0.1}", "{0}"')
    job = parse_job(f'[task]\nkind = "command"\n{text}\n{PROVIDERS}', folder=Path("/nowhere"))
    assert isinstance(job.task, CommandTask)
    assert job.task.command[1:3] == ('{"rate": 0.1}', "{0}")


def test_folders_become_their_files_and_equal_code_has_an_equal_digest(tmp_path: Path) -> None:
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    for name in ("train", "code/a.py", "code/__pycache__/a.pyc", "code/.hidden"):
        (tmp_path / name).write_text(name)
    text = f'[task]\nkind = "command"\n{COMMAND}\nneeds = ["train", "code"]\n{PROVIDERS}'
    task = parse_job(text, folder=tmp_path).task
    assert isinstance(task, CommandTask)
    assert [item.partition("=")[0] for item in task.needs] == ["train", "code/a.py"]
    assert task.model_name == "train"
    other = parse_job(text.replace("{start_step}", "{start_step}+1"), folder=tmp_path).task
    assert task.code == parse_job(text, folder=tmp_path).task.code != other.code
