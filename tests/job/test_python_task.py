"""The keys of tasks that the client's own code defines, of data that is sent, and of batches in parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.job import JobError, parse_job

PROVIDERS = """
[[providers]]
name = "a"
endpoint = "local:cpu"
primary = true
[[providers]]
name = "b"
endpoint = "local:cpu"
"""


def problem(text: str) -> str:
    with pytest.raises(JobError) as caught:
        parse_job(f"{text}\n{PROVIDERS}", folder=Path("/nowhere"))
    return str(caught.value)


MISTAKES = {
    'module = "my-task.txt"': "is neither a Python file, whose name ends in .py, nor the name of a module.",
    'module = "my package.task"': "is neither a Python file",
    'module = "class.task"': "is neither a Python file",
    'module = ""': "is empty; give the path of a file",
    'module = "../task.py"': "'../task.py' does not lie beside the job file or below it",
    'module = "/tmp/task.py"': "does not lie beside the job file or below it",
    'module = "task.py"\nneeds = ["~/data"]': "does not lie beside the job file or below it",
    'module = "task.py"\nneeds = ["a/../../b"]': "does not lie beside the job file or below it",
    'module = "package.task"\nneeds = ["words.txt"]': "goes with a module that is a file",
    'module = "task.py"\noptions = { day = 2020-01-01 }': "is not a valid value for an option",
    'module = "task.py"\noptions = { deep = [{ x = inf }] }': "inf is not a valid value for an option",
    'module = "task.py"\nfactory = "a b"': "task.factory",
    'module = "task.py"\nsamples = "image"': "Did you mean 'images'?",
    'modul = "task.py"': "is not a known key here",
}


@pytest.mark.parametrize("keys", MISTAKES)
def test_a_task_of_own_code_that_cannot_be_is_refused(keys: str) -> None:
    found = problem(f'[task]\nkind = "python"\n{keys}')
    assert MISTAKES[keys] in found


def test_own_code_takes_no_augmentation_by_name_and_compares_updates_unless_told_otherwise() -> None:
    task = '[task]\nkind = "python"\nmodule = "task.py"\n'
    assert "a python task takes no augment; remove this key." in problem(task + '[training]\naugment = ["flip"]')
    job = parse_job(task + PROVIDERS)
    assert [metric.name for metric in job.metrics] == ["update", "buffers", "optimizer"]
    assert type(job).model_validate_json(job.model_dump_json()) == job
    assert hash(job.task) == hash(type(job).model_validate_json(job.model_dump_json()).task)


@pytest.mark.parametrize("dataset", ["images:folder", "digits", "torchvision:CIFAR10"])
def test_only_files_are_sent(dataset: str) -> None:
    assert "sends single files, and" in problem(f'[task]\ndataset = "{dataset}"\nship = true')
    assert parse_job(f'[task]\ndataset = "tensors:mine.safetensors"\nship = true\n{PROVIDERS}').task.ships


def test_a_batch_has_no_more_parts_than_samples() -> None:
    text = '[task]\ndataset = "digits"\n[training]\nbatch_size = 8\naccumulate = 9'
    assert "a batch of 8 cannot be computed in 9 parts; give 1 to 8." in problem(text)
