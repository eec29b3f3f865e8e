"""`auditor study` as a user runs it: real training, real processes."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor, Result
from tests.experiments.evolving.study_text import STUDY

SMALL = STUDY.replace("updates = 3", "updates = 2").replace(', "blend"]', "]")


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def files(home: Path, kind: str) -> dict[str, int]:
    """When each file was written."""
    found = (path for path in home.glob(f"studies/{kind}/**/*") if path.is_file())
    return {str(path.relative_to(home)): path.stat().st_mtime_ns for path in found if path.name[0] != "."}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_is_killed_and_goes_on_to_the_same_results(auditor: Auditor) -> None:
    (auditor.folder / "study.toml").write_text(SMALL)
    process = auditor.start("study", "study.toml", "--workers", "1")
    chains = auditor.home / "studies" / "chains"
    while not list(chains.glob("*/1.json")):
        assert process.poll() is None, process.communicate()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = {kind: files(auditor.home, kind) for kind in ("starts", "chains")}

    resumed = auditor.here("study", "study.toml", "--json", "--workers", "1")
    assert resumed.code == 0, resumed.stderr
    starts = files(auditor.home, "starts")
    assert before["starts"].items() <= starts.items(), "what was done was done again"
    facts = {path: when for path, when in before["chains"].items() if path.endswith(".json")}
    assert facts.items() <= files(auditor.home, "chains").items(), "what was done was done again"
    assert len(starts) == 2 * 2, "each instance has a first model that nobody poisons, and one that the attack poisons"
    _check_rows(rows(resumed))
    _check_page(auditor.home / "studies" / "small", rows(resumed))

    elsewhere = Auditor(auditor.folder, auditor.home.parent / "another home")
    whole = elsewhere.here("study", "study.toml", "--workers", "1")
    assert whole.code == 0, whole.stderr
    results = elsewhere.home / "studies" / "small" / "results.jsonl"
    assert results.read_text() == resumed.stdout
    assert "γ-survivability" in " ".join(whole.stdout.split())
    assert all(len(line) <= 80 for line in whole.stdout.splitlines())


def _check_rows(found: list[dict[str, Any]]) -> None:
    survivals = [row for row in found if row["kind"] == "survivability"]
    assert len(survivals) == 2 * 2  # poisoned updates, γ
    assert all(len(row["instances"]) == 2 and row["low"] <= row["mean"] <= row["high"] for row in survivals)
    planted = [row for row in survivals if row["poisoned_updates"] == "0"]
    assert all(row["instances"] == [2, 2] and row["censored"] == row["implanted"] == 2 for row in planted)
    updates = [row for row in found if row["kind"] == "update"]
    assert len(updates) == 3 * 2 * 3  # settings, instances, models
    assert all(row["accuracy"] == row["unchanged"] for row in updates if row["update"] == 0)
    first = [row["unchanged"] for row in updates if row["instance"] == 0 and row["poisoned_updates"] == "none"]
    assert first[0] >= first[-1], "a model that is never updated does worse as the data drift"
    alike = [row for row in updates if row["update"] == 0 and row["poisoned_updates"] in ("1", "none")]
    assert len({row["start"] for row in alike}) == 2, "first models that are alike are trained once"


def _check_page(folder: Path, found: list[dict[str, Any]]) -> None:
    text = (folder / "results.html").read_text()
    figures = {path.stem for path in (folder / "figures").iterdir()}
    assert figures == {"updates", "survival-poisoned-updates"}
    assert text.count("<svg") == len(figures)
    assert not re.search(r"(src|href)=\"https?:", text)
    for row in found:
        if row["kind"] == "update":
            assert all(row[name] in text and (folder.parent / row[name]).exists() for name in ("start", "folder"))


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("gammas = [0.3, 0.5]", "gammas = [1.5]", ["study.toml:24: sweep.gammas.0:", "less than 1"]),
        ('"blend"]', '"bland"]', ["study.toml:22: sweep.attacks.1:", "Did you mean 'blend'?"]),
        ('name = "small"', 'name = "small"\nkind = "teory"', ["study.toml:2: kind:", "Did you mean 'theory'?"]),
        ('name = "small"', 'name = "small', ["study.toml:1:", "not valid TOML"]),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(auditor: Auditor, right: str, wrong: str, words: list[str]) -> None:
    (auditor.folder / "study.toml").write_text(STUDY.replace(right, wrong, 1))
    result = auditor.here("study", "study.toml")
    assert result.code == 2, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (auditor.home / "studies").exists()
