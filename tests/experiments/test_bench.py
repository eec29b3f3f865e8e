"""`auditor bench` as a user runs it: real training, real processes."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor, Result, job_text

BENCH = """
name = "small"
job = "job.toml"
judged = 40
attacks = [{ name = "badnets", rate = 0.3, variants = 2 }, { name = "lazy", skip = 0.5 }]
inspectors = [{ name = "neural_cleanse", epochs = 2, samples = 8, batch = 8 }]

[pool]
benign = 4
starts = [10]

[grid]
randomness = ["client", "provider"]
sub_run_steps = [4]
committees = [{ participants = 3, malicious = 1 }, { participants = 4, malicious = 0 }]
replicated = [1]
metrics = ["update"]
"""


@pytest.fixture
def written(auditor: Auditor) -> Auditor:
    """A benchmark lies in the folder."""
    (auditor.folder / "job.toml").write_text(job_text())
    (auditor.folder / "bench.toml").write_text(BENCH)
    return auditor


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def files(home: Path, kind: str) -> dict[str, int]:
    """When each file of the benchmark was written; one that is still being written has a name with a dot."""
    return {path.name: path.stat().st_mtime_ns for path in home.glob(f"bench/small/{kind}/[!.]*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_is_interrupted_and_goes_on_where_it_was(written: Auditor) -> None:
    process = written.start("bench", "bench.toml", "--json", "--workers", "2")
    assert process.stderr is not None
    for line in process.stderr:
        if "training the returned models: 0 of" in line:
            break
    while len(files(written.home, "returns")) < 4:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    before = {kind: files(written.home, kind) for kind in ("starts", "returns")}

    resumed = written.here("bench", "bench.toml", "--json", "--workers", "2")
    assert resumed.code == 0, resumed.stderr
    assert "from 0 of" not in resumed.stderr
    for kind, seen in before.items():
        assert seen.items() <= files(written.home, kind).items(), "what was done was done again"
    assert not list(written.home.glob("bench/small/*/.incoming-*"))
    _check_rows(rows(resumed))
    _check_page(written.home / "bench" / "small" / "results.html", rows(resumed))

    returns = files(written.home, "returns")
    again = written.here("bench", "bench.toml", "--workers", "1")
    assert again.code == 0, again.stderr
    assert files(written.home, "returns") == returns
    assert "training" not in again.stderr
    assert "requested false positive rate" in " ".join(again.stdout.split())
    assert all(len(line) <= 80 for line in again.stdout.splitlines())


def _check_rows(found: list[dict[str, Any]]) -> None:
    settings = [row for row in found if row["kind"] == "setting"]
    assert len(settings) == 4
    for row in settings:
        # There are 3 adversaries times 6 pairs of honest members, and one committee of all 4 honest ones.
        judged = row["true_positives"]["of"] if row["malicious"] else row["false_positives"]["of"]
        assert judged == (18 if row["malicious"] else 4), "the same committee was judged again"
        assert row["distances"]
    caught = {row["seeds"]: row for row in settings if row["malicious"]}
    assert caught["shared"]["true_positives"]["rate"] == 1
    assert caught["shared"]["area_under_curve"] == 1
    assert {row["false_positives"]["count"] for row in settings if row["seeds"] == "shared"} == {0}
    assert caught["shared"]["extra_steps"] == 4 * 2
    noise = [row for row in found if row["kind"] == "noise" and row["seeds"] == "shared"]
    assert len(noise) == 1
    assert noise[0]["largest_honest"] < noise[0]["noise_floor"]
    models = [row for row in found if row["kind"] == "model"]
    assert len(models) == 2 * (4 + 3)
    assert all(isinstance(row["inspected"]["neural_cleanse"]["score"], float) for row in models)
    patched = [row["success"] for row in models if row["member"].startswith("badnets")]
    assert len(patched) == 4
    assert all(value is not None for value in patched)


def _check_page(page: Path, found: list[dict[str, Any]]) -> None:
    text = page.read_text()
    figures = {path.stem for path in (page.parent / "figures").iterdir()}
    assert figures >= {"power", "evidence", "cost", "histogram-update-shared-4", "attacks-update-own-4"}
    assert text.count("<svg") == len(figures)
    assert all(f'id="{figure}"' in text for figure in figures)
    assert not re.search(r"(src|href)=\"https?:", text)
    for row in found:
        for name in row.get("distances", ()):
            assert name in text
            assert (page.parent / "distances" / name).exists()


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('"badnets"', '"badnet"', ["badnet", "badnets"]),
        ("rate = 0.3", "rate = 3.0", ["badnets", "rate", "less than or equal to 1"]),
        ("epochs = 2", "epochs = 0", ["neural_cleanse", "epochs"]),
        ('metrics = ["update"]', 'metrics = [{ name = "cka", layer = "x" }]', ["cka", "layer"]),
    ],
)
def test_mistakes_are_one_message_and_exit_code_2(written: Auditor, right: str, wrong: str, words: list[str]) -> None:
    (written.folder / "bench.toml").write_text(BENCH.replace(right, wrong))
    result = written.here("bench", "bench.toml")
    assert result.code == 2, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert "Traceback" not in result.stderr
    assert not (written.home / "bench").exists()
