"""`auditor calibrate` measures noise once; the job that names its file takes it, and no other job does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.audit.test_own_code import agent
from tests.command import Auditor

SMALL: dict[str, Any] = {"steps": 4, "sub_run_steps": 2, "audit": "fixed_selection = [0, 1]"}


@pytest.mark.slow
def test_a_job_takes_the_noise_of_its_file_and_refuses_that_of_another_job(auditor: Auditor) -> None:
    made = auditor.here("calibrate", auditor.job(**SMALL), "--out", "noise.json", "--start", "0", "--start", "2")
    assert made.code == 0, made.stderr
    content = json.loads((auditor.folder / "noise.json").read_text())
    assert {(one["start"], json.loads(one["metric"])["name"]) for one in content["noise"]} == {
        (start, name) for start in (0, 2) for name in ("update", "buffers", "optimizer")
    }
    floors = {(json.loads(one["metric"])["name"], one["start"]): one["floor"] for one in content["noise"]}
    named = SMALL | {"audit": 'fixed_selection = [0, 1]\nnoise = "noise.json"'}
    found = auditor.here("run", auditor.job(**named), "--json")
    assert found.code == 0, found.stderr
    for event in found.events:
        if event["event"] == "distances_measured":
            assert event["noise_floor"] == floors[event["metric"], 2 * event["sub_run"]]
            assert event["noise_source"] == f"measured by `auditor calibrate` from step {2 * event['sub_run']}"
    planned = " ".join(auditor.here("plan", auditor.job(**named)).stdout.split())
    assert "noise read from the file that audit.noise names; the run does not measure it" in planned
    assert "2 sub-runs (100 %), fixed in the job file." in planned
    other = auditor.here("plan", auditor.job(**named | {"training": "optimizer = { name = 'sgd', lr = 0.2 }"}))
    assert other.code == 2
    assert "made for another model, another training or another sub_run_steps" in other.stderr
    (auditor.folder / "noise.json").write_text("{}")
    assert "is not what `auditor calibrate` writes" in auditor.here("plan", auditor.job(**named)).stderr


def test_a_job_with_own_seeds_has_no_numerical_noise_to_measure(auditor: Auditor) -> None:
    found = auditor.here("calibrate", auditor.job(audit='randomness = "provider"'))
    assert found.code == 2
    assert 'only with seeds = "shared"' in found.stderr


def test_a_start_beyond_the_training_is_refused(auditor: Auditor) -> None:
    found = auditor.here("calibrate", auditor.job(**SMALL), "--start", "4")
    assert found.code == 2
    assert "give 0 to 3" in found.stderr


@pytest.mark.slow
def test_machines_that_are_trusted_execute_the_sub_runs_too(auditor: Auditor) -> None:
    with agent(auditor, "--threads", "2") as address:
        made = auditor.here(
            "calibrate", auditor.job(**SMALL), "--start", "2", "--trusted", address, "--trusted", "local:cpu"
        )
    assert made.code == 0, made.stderr
    content = json.loads((auditor.folder / "noise.json").read_text())
    assert "machine 1: cpu, auditor" in content["machine"]
    assert "machine 2: cpu, auditor" in content["machine"]
    assert all(one["floor"] > 0 for one in content["noise"])
    named = SMALL | {"audit": 'fixed_selection = [1]\nnoise = "noise.json"'}
    planned = " ".join(auditor.here("plan", auditor.job(**named)).stdout.split())
    assert "The file was measured on" in planned
    assert "may differ by more than the file allows, and be flagged although it is honest" in planned


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("nobody", "--trusted nobody: no provider 'nobody' is registered"),
        ("ftp://x", "--trusted ftp://x: 'ftp://x' is not an endpoint"),
        ("unix:nothing.sock", "nothing.sock: no connection"),
    ],
)
def test_a_machine_that_is_not_there_is_named(auditor: Auditor, endpoint: str, words: str) -> None:
    found = auditor.here("calibrate", auditor.job(**SMALL), "--start", "0", "--trusted", endpoint)
    assert found.code in (1, 2)
    assert words in " ".join(found.stderr.split())
