"""Updates with datasets of their own: what each update's task is, and what cannot be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.experiments.evolving.specification import parse_study
from auditor.job import JobError, parse_job
from auditor.job.evolution import own_tasks, update_job
from auditor.job.model import Job
from auditor.job.network_task import NetworkTask
from auditor.providers.file_names import NotOffered, found_task, named_task
from tests.experiments.evolving.study_text import STUDY
from tests.job.good import GOOD, assert_refused, only_problem

MONTHS = GOOD.replace(
    "[audit]\n",
    """[evolution]
datasets = ["images:months/1", "tensors:2.safetensors"]

[evolution.training]
steps = 40

[audit]
""",
).replace('dataset = "digits"', 'dataset = "images:start"')


def test_every_update_has_its_dataset_which_is_read_like_the_first(tmp_path: Path) -> None:
    job = parse_job(MONTHS, folder=tmp_path)
    assert job.evolution is not None
    assert (job.evolution.updates, job.evolution.stream) == (2, None)
    tasks: list[Any] = [update_job(job, update, "x").task for update in range(3)]
    start = f"images:{tmp_path}/start"
    later = [f"images:{tmp_path}/months/1", f"tensors:{tmp_path}/2.safetensors"]
    assert [task.dataset for task in tasks] == [start, *later]
    assert [task.like for task in tasks] == [None, start, start]
    assert {(task.stream, task.slice) for task in tasks} == {(None, "train")}
    assert list(own_tasks(job)) == tasks[1:]
    assert [task.dataset_name for task in own_tasks(job)] == ["images:1", "tensors:2.safetensors"]
    assert Job.model_validate_json(job.model_dump_json()) == job
    again = parse_job(MONTHS.replace("datasets = ", "updates = 2\ndatasets = "), folder=tmp_path)
    assert again == job


def test_a_drift_changes_the_data_of_each_update() -> None:
    job = parse_job(MONTHS.replace("datasets = ", 'drift = { name = "rotate", step = 4.0 }\ndatasets = '))
    amounts = [task.drift.amount for task in own_tasks(job) if task.drift is not None]
    assert amounts == [4.0, 8.0]


def test_a_provider_gets_both_datasets_by_what_is_in_them(tmp_path: Path) -> None:
    for name in ("start", "months/1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.txt").write_text(name)
    task = own_tasks(parse_job(MONTHS, folder=tmp_path))[0]
    named, data = named_task(task)
    assert isinstance(named, NetworkTask)
    assert named.like is not None
    assert str(tmp_path) not in named.model_dump_json()
    assert set(data.values()) == {tmp_path / "start", tmp_path / "months" / "1"}
    assert found_task(named, data.get, downloads=False) == task
    only = {name: path for name, path in data.items() if path.name == "1"}
    with pytest.raises(NotOffered, match=r"task\.like: this agent offers no data"):
        found_task(named, only.get, downloads=False)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        pytest.param('["images:months/1", "tensors:2.safetensors"]', "[]", 8, "evolution.datasets", "is empty", id="0"),
        pytest.param(
            "datasets =",
            "updates = 3\ndatasets =",
            9,
            "evolution.datasets",
            "names 2 datasets for 3 updates; name one for each, or remove `updates`",
            id="length",
        ),
        pytest.param(
            "datasets =",
            "share = 0.2\ndatasets =",
            8,
            "evolution.share",
            "goes without evolution.datasets; remove one of them",
            id="both",
        ),
        pytest.param(
            '"images:months/1"', '"imags:months/1"', 8, "evolution.datasets.0", "unknown dataset 'imags:", id="form"
        ),
        pytest.param(
            '"tensors:2.safetensors"',
            '"csv:2.csv"',
            8,
            "evolution.datasets.1",
            "is a dataset for tasks of kind 'text', but this task is of kind 'vision'",
            id="kind",
        ),
        pytest.param('"images:months/1"', "7", 8, "evolution.datasets.0", "valid string", id="number"),
        pytest.param('"images:months/1"', '"images:~nobody-here/1"', 8, "evolution.datasets.0", "no user", id="user"),
        pytest.param(
            'dataset = "images:start"',
            'dataset = "images:start"\nheld_out = "images:aside"',
            9,
            "evolution.datasets.1",
            "does not fit task.held_out, which goes with dataset = 'images:PATH'",
            id="held out",
        ),
        pytest.param(
            'dataset = "images:start"',
            'dataset = "images:start"\nsize = [8, 8]',
            9,
            "evolution.datasets.1",
            "does not fit task.size, which goes with dataset = 'images:PATH'",
            id="size",
        ),
        pytest.param(
            'dataset = "images:start"',
            'dataset = "images:start"\nlike = "digits"',
            3,
            "task.like",
            "[evolution] sets",
            id="like",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(old: str, new: str, line: int, key: str, words: str) -> None:
    assert_refused(MONTHS.replace(old, new), line, key, words, None)


def test_without_datasets_the_number_of_updates_must_be_given() -> None:
    text = MONTHS.replace('datasets = ["images:months/1", "tensors:2.safetensors"]', "share = 0.1")
    assert only_problem(text).key == "evolution.updates"


def test_a_study_divides_one_dataset(tmp_path: Path) -> None:
    text = STUDY.replace("updates = 3", 'datasets = ["digits", "digits", "digits"]')
    with pytest.raises(JobError, match=r"study\.toml:14: evolution\.datasets: is for jobs"):
        parse_study(text, "study.toml", tmp_path)
