"""Jobs that start from weights that are there already."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.command import Auditor, Result
from tests.tui.recorded import beginning, record

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("initial")]  # one process has the first run


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """A small audited run, and the home that it is in."""
    folder = tmp_path_factory.mktemp("first")
    auditor = Auditor(folder, folder / "home")
    result = auditor.here("run", auditor.job(steps=10, audit="fixed_selection = [0]"), "--json")
    assert result.code == 0, result.stderr
    return result, auditor.home


@pytest.fixture
def trained(first: tuple[Result, Path], auditor: Auditor) -> tuple[Result, Path]:
    """That run, in the home of this test, and the model that it delivered."""
    result, home = first
    shutil.copytree(home, auditor.home)
    delivered = next(Path(event["path"]) for event in result.events if event["event"] == "model_delivered")
    return result, auditor.home / delivered.relative_to(home)


def started_from(auditor: Auditor, initial: str, **parts: str) -> Result:
    job = auditor.job("again.toml", steps=10, audit="fixed_selection = [0]", training=f'initial = "{initial}"', **parts)
    return auditor.here("run", job, "--json")


def test_a_run_starts_from_what_another_delivered_and_knows_its_parent(
    auditor: Auditor, trained: tuple[Result, Path]
) -> None:
    first, model = trained
    run = first.events[0]["run"]
    again = started_from(auditor, "run:last")
    assert again.code == 0, again.stderr
    rows = {row["run"]: row for row in auditor.here("runs", "--json").events}
    assert rows[again.events[0]["run"]]["parent"] == run
    assert rows[run]["parent"] is None
    assert f"  from {run}" in auditor.here("runs").stdout
    start = next(event for event in again.events if event["event"] == "committed")
    blob = load_file(auditor.home / "runs" / again.events[0]["run"] / "blobs" / start["digest"])
    delivered = load_file(model)
    assert int(blob["step"]) == 0
    assert all(torch.equal(blob[name], delivered[name]) for name in blob if name.startswith("model."))
    assert all(not blob[name].any() for name in blob if name.startswith("optimizer."))


@pytest.mark.usefixtures("trained")
def test_a_malicious_primary_is_flagged_there_too(auditor: Auditor) -> None:
    found = started_from(auditor, "run:last", attacks={"a": '{ name = "badnets", target = 0 }'})  # type: ignore[arg-type]
    assert found.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}


def test_a_file_with_a_models_own_names_will_do_and_must_stay_what_it_is(
    auditor: Auditor, trained: tuple[Result, Path]
) -> None:
    _, model = trained
    weights = {
        name.removeprefix("model."): tensor for name, tensor in load_file(model).items() if name.startswith("model.")
    }
    (auditor.folder / "weights").mkdir()
    save_file(weights, path := auditor.folder / "weights" / "mine.safetensors")
    found = started_from(auditor, "weights/mine.safetensors")
    assert found.code == 0, found.stderr
    process = auditor.start("run", "again.toml", "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if '"provider_ready"' in line:
            break
    process.kill()
    process.communicate()
    save_file({key: 2 * tensor for key, tensor in weights.items()}, path)
    refused = auditor.here("resume", "last", "--json")
    assert refused.code == 1, refused.stderr
    assert "mine.safetensors has changed since this run started" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("initial", "words"),
    [
        ("", "is empty; give the path of a checkpoint, or run:RUN"),
        ("run:", "is empty"),
        ("run:none", "there is no run 'none'"),
        ("nowhere.safetensors", "nowhere.safetensors cannot be read: No such file"),
    ],
)
def test_what_is_not_there_is_said(auditor: Auditor, initial: str, words: str) -> None:
    refused = started_from(auditor, initial)
    assert refused.code == 2, refused.stderr
    assert words in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


def test_a_run_without_a_model_is_no_start(auditor: Auditor) -> None:
    record(auditor.home, beginning())
    refused = started_from(auditor, "run:last")
    assert refused.code == 2, refused.stderr
    assert "has delivered no model. Name a run that is finished" in refused.stderr
