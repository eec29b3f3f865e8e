"""Named slices of the training samples: they divide them, and a model of one fits all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from auditor.job import JobError, parse_job
from auditor.tasks.errors import TrainingError
from tests.command import Auditor, job_text
from tests.tasks.loading import load_dataset, network_task

KINDS: list[dict[str, Any]] = [
    {"kind": "vision", "dataset": "digits", "model": "resnet8"},
    {"kind": "text", "dataset": "reviews", "model": "embeddings", "max_length": 16},
]


@pytest.mark.parametrize("keys", KINDS, ids=lambda keys: keys["kind"])
@pytest.mark.parametrize("stream", [{"slices": 3}, {"slices": 7, "share": 0.3}], ids=["half", "third"])
def test_the_slices_divide_the_training_samples(keys: dict[str, Any], stream: dict[str, Any]) -> None:
    whole = load_dataset(network_task(**keys))
    names = ["train", *(f"stream[{index}]" for index in range(stream["slices"]))]
    slices = [load_dataset(network_task(**keys, stream=stream, slice=name)) for name in names]
    rows = Counter(sample.numpy().tobytes() for sample in whole.samples)
    assert sum((Counter(sample.numpy().tobytes() for sample in part.samples) for part in slices), Counter()) == rows
    sizes = [len(part.samples) for part in slices]
    assert abs(sizes[0] - (1 - stream.get("share", 0.5)) * len(whole.samples)) <= 1
    assert max(sizes[1:]) - min(sizes[1:]) <= 1
    assert len({part.digest for part in slices}) == len(slices)
    for part in slices:
        assert part.held_out_samples.equal(whole.held_out_samples)
        assert part.classes == whole.classes
        if whole.tokenizer is None:
            assert all(own.equal(all_) for own, all_ in zip(part.statistics, whole.statistics, strict=True))
        else:
            assert part.tokenizer is not None
            assert part.tokenizer.definition == whole.tokenizer.definition


def test_a_later_job_finds_the_slice_that_an_earlier_one_left() -> None:
    first, second = (load_dataset(network_task(**KINDS[0], stream={"slices": 3}, slice="stream[1]")) for _ in range(2))
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('slice = "stream[0]"', "stream[0] is not there: this task has no stream. Set task.stream"),
        ('slice = "stream[3]"\nstream = { slices = 3 }', "this task has slices stream[0] to stream[2]"),
        ('slice = "test"', "unknown slice 'test'; use train, or stream[I] with I counted from 0"),
        ('slice = "stream[-1]"', "unknown slice 'stream[-1]'"),
        ('slice = "stream[01]"', "unknown slice 'stream[01]'"),
        ("stream = { slices = 0 }", "greater than or equal to 1"),
        ("stream = { slices = 2, share = 1.0 }", "less than 1"),
    ],
)
def test_a_slice_that_is_not_there_is_refused_with_its_line(keys: str, words: str) -> None:
    text = job_text().replace("[task]", f"[task]\n{keys}")
    with pytest.raises(JobError, match=r"job:[0-9]+: task") as error:
        parse_job(text)
    assert words in str(error.value)


def test_more_slices_than_samples_are_refused() -> None:
    task = network_task(**KINDS[0], stream={"slices": 100_000}, slice="stream[0]")
    with pytest.raises(TrainingError, match=r"too few for the slice 'train' and 100,000 others\. Use fewer slices"):
        load_dataset(task)


def test_an_update_of_a_delivered_model_is_audited_on_the_next_slice(auditor: Auditor, tmp_path: Path) -> None:
    def job(name: str, initial: str) -> str:
        text = job_text(steps=10, sub_run_steps=5, audit="fixed_selection = [1]")
        text = text.replace("[task]", f'[task]\nstream = {{ slices = 4 }}\nslice = "{name}"')
        (tmp_path / "job.toml").write_text(text.replace("[training]", f"[training]\n{initial}"))
        return "job.toml"

    first = auditor.here("run", job("train", ""), "--json")
    assert first.code == 0, first.stderr
    second = auditor.here("run", job("stream[0]", 'initial = "run:last"'), "--json")
    assert second.code == 0, second.stderr
    parts = [result.events[0]["materials"]["training part"] for result in (first, second)]
    assert parts[0] != parts[1]
