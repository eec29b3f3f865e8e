"""An evolving job whose updates have datasets of their own."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from auditor.audit.record.state import AuditState
from auditor.audit.stream_data import look_at_data
from auditor.job import parse_job
from auditor.tasks.errors import TrainingError
from tests.audit.test_evolution import ended, until_update
from tests.command import Auditor, job_text


def save(path: Path, count: int, *, classes: int = 2, side: int = 8, seed: int = 0) -> None:
    """Dark and light images in a file."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    shades = labels.reshape(-1, 1, 1, 1) * (200 // classes)
    images = shades + torch.randint(0, 50, (count, 1, side, side), generator=generator)
    save_file({"images": images.to(torch.uint8), "labels": labels}, path)


def months(folder: Path, *, drift: str = "", training: str = "epochs = 1") -> str:
    """A job whose first training has 80 images, update 1 has 60 and update 2 has 100."""
    for name, count in (("start", 80), ("1", 60), ("2", 100)):
        save(folder / f"{name}.safetensors", count, seed=count)
    task = 'dataset = "tensors:start.safetensors"'
    text = job_text(steps=10, sub_run_steps=5, audit="fixed_selection = [0]", task=task)
    table = f'[evolution]\n{drift}\ndatasets = ["tensors:1.safetensors", "tensors:2.safetensors"]\n'
    (folder / "job.toml").write_text(text.replace("[audit]", f"{table}[evolution.training]\n{training}\n[audit]"))
    return "job.toml"


def looked(folder: Path) -> tuple[int, ...]:
    job = parse_job((folder / "job.toml").read_text(), folder=folder)
    return look_at_data(job, AuditState(), folder).samples


def test_all_data_is_read_before_anything_starts(tmp_path: Path) -> None:
    months(tmp_path, drift='drift = { name = "rotate", step = 4.0 }')
    job = parse_job((tmp_path / "job.toml").read_text(), folder=tmp_path)
    found = look_at_data(job, AuditState(), tmp_path)
    assert found.samples == (54, 90)
    assert [(read.update, read.dataset, read.held_out) for read in found.read] == [
        (1, "tensors:1.safetensors", 6),
        (2, "tensors:2.safetensors", 10),
    ]
    assert "the drift rotate changed all samples by 8" in [remark.text for remark in found.read[1].remarks]
    assert {"training part", "update 1: training part", "update 2: held-out part", "update 2: form"} <= set(
        found.materials
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"count": 20}, r"has 18 training samples, which are fewer than a batch of 32", id="few"),
        pytest.param({"count": 60, "classes": 3}, r"has a class '2' that tensors:.*start\.safetensors lacks", id="new"),
        pytest.param({"count": 60, "side": 9}, r"has gray images of 9 × 9 pixels, and .*start", id="size"),
    ],
)
def test_data_that_does_not_fit_is_refused_by_the_name_of_the_update(
    tmp_path: Path, change: dict[str, int], words: str
) -> None:
    months(tmp_path)
    save(tmp_path / "2.safetensors", **change)
    with pytest.raises(TrainingError, match=rf"^evolution\.datasets, update 2: tensors:.*2\.safetensors:? {words}"):
        looked(tmp_path)


def test_data_that_is_not_there_is_one_line_and_leaves_no_run(auditor: Auditor) -> None:
    job = months(auditor.folder)
    (auditor.folder / "2.safetensors").unlink()
    for command in ("run", "data"):
        result = auditor.here(command, job)
        assert (result.code, result.stdout) == (2, "")
        (line,) = [line for line in result.stderr.splitlines() if "safetensors" in line]
        assert line.startswith("error: evolution.datasets, update 2: tensors:")
        assert line.endswith("2.safetensors: there is no such file.")
    assert auditor.here("runs", "--json").events == []


def test_what_was_read_is_told_for_every_update(auditor: Auditor) -> None:
    job = months(auditor.folder)
    lines = auditor.here("data", job).stdout.splitlines()
    assert "update 1, tensors:1.safetensors: 54 gray images of 8 × 8 pixels in 2 classes, 6 more are held out" in lines
    found = json.loads(auditor.here("data", job, "--json").stdout)
    assert [(read["dataset"], read["training"]) for read in found["updates"]] == [
        ("tensors:1.safetensors", 54),
        ("tensors:2.safetensors", 90),
    ]
    plan = auditor.here("plan", job)
    assert "update 2 tensors:2.safetensors" in " ".join(plan.stdout.split())
    assert "of 1 epochs each, on a dataset of its own. Each is audited" in " ".join(plan.stdout.split())
    planned = json.loads(auditor.here("plan", job, "--json").stdout)
    assert [one["dataset"] for one in planned["update_data"]] == ["tensors:1.safetensors", "tensors:2.safetensors"]


def test_a_plan_sees_other_classes_of_an_update_at_once(auditor: Auditor) -> None:
    for name, classes in (("start", "ab"), ("later", "ac")):
        for word in classes:
            (auditor.folder / name / word).mkdir(parents=True)
            (auditor.folder / name / word / "0.png").write_bytes(b"")
    text = (auditor.folder / months(auditor.folder)).read_text().replace("tensors:start.safetensors", "images:start")
    text = text.replace('["tensors:1.safetensors", "tensors:2.safetensors"]', '["images:later"]')
    (auditor.folder / "job.toml").write_text(text)
    words = " ".join(auditor.here("plan", "job.toml").stdout.split())
    assert "warning: update 1: the data cannot be used: images:" in words
    assert "has a class 'c' that images:" in words


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_update_learns_its_dataset_and_resume_refuses_one_that_changed(auditor: Auditor) -> None:
    process = auditor.start("run", months(auditor.folder), "--json")
    events = list(until_update(process, 0, "committed"))
    process.send_signal(signal.SIGINT)
    process.communicate()
    run = events[0]["run"]
    assert [(one["event"], one.get("update")) for one in events[:4]] == [
        ("run_started", None),
        ("update_data_read", 1),
        ("update_data_read", 2),
        ("update_started", 0),
    ]

    path = auditor.folder / "2.safetensors"
    kept, changed = path.read_bytes(), load_file(path)
    changed["labels"][0] = 1 - changed["labels"][0]
    save_file(changed, path)
    refused = auditor.here("resume", run)
    assert refused.code == 1
    assert f"part of the data of update 2, dataset = 'tensors:{path}', has changed" in refused.stderr
    path.write_bytes(kept)

    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 0, resumed.stderr
    assert [one["cost"]["training_steps"] for one in ended(resumed).values()] == [10, 1, 2]
    read = [event["training"] for event in resumed.events if event["event"] == "data_read"]
    assert read == [54, 90]
    report = json.loads(auditor.here("report", "last", "--format", "json").stdout)
    assert [update["data"] and update["data"]["dataset"] for update in report["updates"]] == [
        None,
        "tensors:1.safetensors",
        "tensors:2.safetensors",
    ]
    assert str(auditor.folder) not in json.dumps(report)
    page = auditor.here("report", "last", "--format", "markdown").stdout
    assert "update 1, `tensors:1.safetensors`: 54 gray images" in page
