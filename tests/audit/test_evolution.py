"""An evolving job: every update is audited, and what was poisoned is flagged where it was."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from auditor.store import Store
from tests.command import Auditor, Result, job_text, until
from tests.tasks.loading import load_dataset, network_task

pytestmark = pytest.mark.slow


def evolving(
    folder: Path,
    *,
    updates: int = 2,
    poisoned: str = "[1]",
    more: str = "",
    task: str = 'dataset = "digits"',
    drift: str = '{ name = "rotate", step = 8.0 }',
    training: str = "epochs = 1",
) -> str:
    attacks = {"a": f'{{ name = "badnets", rate = 0.3, updates = {poisoned} }}'} if poisoned else None
    text = job_text(steps=10, sub_run_steps=5, audit="fixed_selection = [0]", attacks=attacks, task=task)
    table = f"[evolution]\nupdates = {updates}\nshare = 0.1\ndrift = {drift}\n{more}\n"
    (folder / "job.toml").write_text(text.replace("[audit]", f"{table}[evolution.training]\n{training}\n[audit]"))
    return "job.toml"


def ended(result: Result) -> dict[int, dict[str, Any]]:
    """The last end of each update."""
    return {event["update"]: event for event in result.events if event["event"] == "update_finished"}


@pytest.mark.timeout(300)
def test_the_poisoned_update_is_flagged_and_no_other(auditor: Auditor) -> None:
    result = auditor.here("run", evolving(auditor.folder), "--json")
    assert result.code == 10, result.stderr
    run = result.verdict["run"]
    assert [one["outcome"] for one in ended(result).values()] == ["clean", "flagged", "clean"]
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}
    (reason, consistent) = result.verdict["providers"][0]["reasons"]
    assert reason.startswith("update 1: deviates in 1 of 1 replicated sub-runs")
    assert consistent == "consistent in updates 0 and 2"
    measured = [event for event in result.events if event["event"] == "update_measured"]
    assert [one["attacks"][0]["acted"] for one in measured] == [False, True, False]
    assert all(0 <= one["attacks"][0]["success"] <= 1 for one in measured)
    assert measured[0]["unchanged"] == measured[0]["accuracy"]
    cost = result.verdict["cost"]
    assert cost["training_steps"] == sum(one["cost"]["training_steps"] for one in ended(result).values()) == 10 + 2 + 2

    # A chain is one run; each update is shown by its number.
    assert [row["run"] for row in auditor.here("runs", "--json").events] == [run]
    shown = auditor.here("show", "last")
    assert "rotate by 16" in shown.stdout
    assert "flagged (a)" in shown.stdout
    assert "FLAGGED: a did not do" in auditor.here("show", f"{run[:8]}.1").stdout
    assert "CLEAN" in auditor.here("show", f"{run}.2").stdout
    assert "has no update 3" in auditor.here("show", f"{run}.3").stderr
    with Store(auditor.home) as store:
        parents = [update.parent for update in store.updates(run)]
    assert parents == [None, f"{run}.0", f"{run}.1"]

    # Every update starts from what the one before delivered.
    for update in (1, 2):
        begun = auditor.here("show", f"{run}.{update}", "--json").events[0]
        assert begun["materials"]["initial checkpoint"] == ended(result)[update - 1]["digest"]

    # What ended is only shown again.
    again = auditor.here("resume", f"{run}.1", "--json")
    assert again.events == [result.verdict]
    assert "resumed as a whole" in again.stderr


@pytest.mark.timeout(300)
def test_after_kill_9_in_any_update_resume_gives_the_same_models(auditor: Auditor) -> None:
    job = evolving(auditor.folder)
    undisturbed = auditor.here("run", job, "--json")
    command = ["run", job]
    for update, moment in ((0, "model_delivered"), (1, "replica_started"), (2, "update_started")):
        process = auditor.start(*command, "--json")
        seen: list[dict[str, Any]] = []
        for event in until_update(process, update, moment):
            seen.append(event)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        command = ["resume", seen[0]["run"]]
    resumed = auditor.here(*command, "--json")
    assert resumed.code == undisturbed.code == 10, resumed.stderr
    everything = auditor.here("show", command[1], "--json")
    assert {number: one["digest"] for number, one in ended(everything).items()} == {
        number: one["digest"] for number, one in ended(undisturbed).items()
    }
    assert resumed.verdicts == undisturbed.verdicts


def until_update(process: Any, update: int, moment: str) -> Any:
    """The events of a running `--json` command up to one of a kind in an update."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        yield event
        within = event.get("update") if "update" in event else event["run"].rpartition(".")[2]
        if event["event"] == moment and str(within) == str(update):
            return
    raise AssertionError(f"no {moment} in update {update}: {process.stderr.read()}")


def test_a_pause_of_the_whole_stops_the_update_under_way(auditor: Auditor) -> None:
    process = auditor.start("run", evolving(auditor.folder, poisoned="", training="steps = 60"), "--json")
    events = list(until_update(process, 1, "committed"))
    with Store(auditor.home) as store:
        store.request(events[0]["run"], "pause")
    stdout, narration = process.communicate()
    assert process.returncode == 130, narration
    rest = [json.loads(line) for line in stdout.splitlines()]
    assert [event["run"] for event in rest if event["event"] == "run_interrupted"] == [
        f"{events[0]['run']}.1",
        events[0]["run"],
    ]
    (row,) = auditor.here("runs", "--json").events
    assert (row["status"], row["step"]) == ("stopped", 10)


def test_inspectors_look_at_the_model_of_each_update(auditor: Auditor) -> None:
    inspector = 'inspectors = [{ name = "fine_pruning", samples = 64 }]'
    result = auditor.here("run", evolving(auditor.folder, updates=1, poisoned="", more=inspector), "--json")
    assert result.code == 0, result.stderr
    measured = [event["inspected"] for event in result.events if event["event"] == "update_measured"]
    assert [[one["inspector"] for one in found] for found in measured] == [["fine_pruning"]] * 2
    assert all(one["score"] is not None and one["failure"] is None for (one,) in measured)


def test_no_more_updates_are_made_once_a_provider_is_flagged_if_the_job_says_so(auditor: Auditor) -> None:
    result = auditor.here("run", evolving(auditor.folder, poisoned="[0]", more="stop_when_flagged = true"), "--json")
    assert result.code == 10, result.stderr
    assert list(ended(result)) == [0]
    assert auditor.here("resume", "last", "--json").events == [result.verdict]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        pytest.param({"drift": '{ name = "hue", step = 0.1 }'}, "hue", id="hue of gray images"),
        pytest.param({"drift": '{ name = "rotat", step = 4.0 }'}, "Did you mean 'rotate'?", id="unknown drift"),
        pytest.param({"drift": '{ name = "rotate", step = 4.0, degrees = 3 }'}, "degrees", id="option of a drift"),
        pytest.param({"drift": '{ name = "tokens", step = 0.1 }'}, "does not support vision", id="drift of texts"),
        pytest.param({"updates": 100}, "fewer than a batch of 32", id="less than a batch"),
        pytest.param({"updates": 900}, "fewer than a batch of 32", id="no samples at all"),
        pytest.param({"more": 'inspectors = ["neural_clean"]'}, "Did you mean 'neural_cleanse'?", id="inspector"),
        pytest.param({"task": 'dataset = "images:nowhere"'}, "nowhere", id="no data"),
    ],
)
def test_what_cannot_evolve_is_said_in_a_line_and_leaves_no_run(
    auditor: Auditor, parts: dict[str, Any], words: str
) -> None:
    result = auditor.here("run", evolving(auditor.folder, **parts))
    assert result.code == 2, result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:") or "job.toml" in line]
    assert words in line
    assert "Traceback" not in result.stderr
    assert auditor.here("runs", "--json").events == []


@pytest.mark.timeout(300)
def test_a_chain_whose_link_was_deleted_or_whose_data_changed_is_not_gone_on_with(auditor: Auditor) -> None:
    data = load_dataset(network_task(kind="vision", dataset="digits", model="resnet8"))
    save_file({"images": data.samples, "labels": data.labels}, auditor.folder / "mine.safetensors")
    job = evolving(auditor.folder, poisoned="", task='dataset = "tensors:mine.safetensors"')
    process = auditor.start("run", job, "--json")
    run = next(iter(until(process, "update_started")))["run"]
    list(until_update(process, 1, "committed"))
    process.send_signal(signal.SIGINT)
    process.communicate()

    changed = load_file(auditor.folder / "mine.safetensors")
    changed["labels"][0] = (changed["labels"][0] + 1) % 10
    kept = (auditor.folder / "mine.safetensors").read_bytes()
    save_file(changed, auditor.folder / "mine.safetensors")
    refused = auditor.here("resume", run)
    assert refused.code == 1
    assert "has changed since this run started" in refused.stderr
    (auditor.folder / "mine.safetensors").write_bytes(kept)

    with Store(auditor.home) as store:
        shutil.rmtree(store.run_folder(f"{run}.0"))
    broken = auditor.here("resume", run)
    assert broken.code == 1
    assert f"the model that update 0 delivered is gone from run {run}.0" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_forgetting_a_chain_forgets_its_updates(auditor: Auditor) -> None:
    with Store(auditor.home) as store:
        chain = store.create_run("evolving", "{}", "job.toml")
        update = store.create_update(chain, 0, "{}", None)
        store.blobs(update.id).add([b"weights"])
        assert store.run_size(chain.id) >= len(b"weights")
        assert store.find_run(f"{chain.id}.0") == update
        assert [run.id for run in store.runs()] == [chain.id]
        store.delete_run(chain.id)
        assert store.updates(chain.id) == []
        assert not store.run_folder(update.id).exists()
