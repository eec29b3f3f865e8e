"""`auditor report`: one run for a reader who has nothing else, also where names and messages are hostile."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor, job_text
from tests.report.rendering import tokens

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]  # one process has the run

HOSTILE = "a|b [x](http://evil.example) <img src=y> @everyone"
PLUGIN = f"""
from auditor.plugins import Attack, Batch, Metric, ReturnedModel

TEXT = {("| x | <script>alert(1)</script> ![i](http://evil.example/i.png) `code` **loud** www.evil.example" * 2)!r}


class Breaks(Attack):
    name = "breaks"

    def on_batch(self, batch: Batch, step: int) -> Batch:
        if step < 10:
            return batch
        raise RuntimeError(TEXT)


class Loud(Metric[float]):
    name = "loud"

    def represent(self, model: ReturnedModel) -> float:
        raise ValueError(TEXT)

    def distance(self, first: float, second: float) -> float:
        return 0.0
"""


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    """A run that ended: a hostile name, a metric and a replica that fail with hostile messages."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "loud.py").write_text(PLUGIN)
    text = job_text(
        (HOSTILE, "b", "c", "d"),
        attacks={HOSTILE: '{ name = "badnets", rate = 0.5 }', "d": '{ name = "breaks" }'},
        metrics='["update", "loud"]',
    )
    text = 'plugins = ["./loud.py"]\n' + text.replace('name = "small"', 'name = "# <b>audit</b> | of"', 1)
    (folder / "job.toml").write_text(text)
    auditor = Auditor(folder, folder / "home")
    done = auditor.here("run", "job.toml", "--json")
    assert done.code == 10, done.stderr
    return auditor


def assert_harmless(text: str) -> None:
    kinds = {token.type for token in tokens(text)}
    assert kinds & {"link_open", "image", "html_inline", "html_block", "heading_open"} <= {"heading_open"}


def test_markdown_says_everything_to_somebody_who_has_nothing_else(audited: Auditor) -> None:
    text = audited.here("report", "last", "--format", "markdown").stdout
    for heading in ("# Audit of", "## Verdicts", "## What was asked", "### Assumptions", "## Evidence", "## Cost"):
        assert heading in text
    for words_in_it in (
        "**Outcome: flagged.**",
        "**deviation**",
        "0 to 10",
        "accepted false positive rate, per provider and run | 1.0 %",
        "training steps | 30",
        "2 of 3 sub-runs were replicated. The others were not checked.",
        "No audit can show that a provider is honest.",
        "Simulated:",
        "fixed beforehand: 0, 2",
        "The digest of all 4 commitments",
    ):
        assert words_in_it in text, words_in_it


def test_hostile_text_stays_text_in_markdown(audited: Auditor) -> None:
    text = audited.here("report", "last", "--format", "markdown").stdout
    assert "evil.example" in text, "the text itself is shown"
    assert_harmless(text)
    headings = [token for token in tokens(text) if token.type == "heading_open"]
    assert len(headings) == sum(line.startswith("#") for line in text.splitlines())
    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        columns = columns or line.count("|")
        assert line.count("|") == columns, line


def test_json_is_one_documented_object(audited: Auditor) -> None:
    made: dict[str, Any] = json.loads(audited.here("report", "last", "--format", "json").stdout)
    documented = (Path(__file__).parents[2] / "docs" / "reference" / "report.md").read_text(encoding="utf-8")
    for key, value in made.items():
        assert f"`{key}`" in documented, key
        parts = value if isinstance(value, list) else [value]
        for inner in {inner for part in parts if isinstance(part, dict) for inner in part}:
            assert f"`{key}.{inner}`" in documented or f"`{inner}`" in documented, (key, inner)
    assert made["outcome"] == "flagged"
    verdicts = {one["name"]: one["verdict"] for one in made["providers"]}
    assert verdicts == {HOSTILE: "flagged", "b": "inconclusive", "c": "inconclusive", "d": "inconclusive"}
    lines = "".join(f"{one['boundary']} {one['step']} {one['digest']}\n" for one in made["commitments"]["boundaries"])
    assert made["commitments"]["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    events = audited.here("show", "last", "--json").events
    last = events[-1]
    assert made["cost"] == last["cost"]
    assert [one["digest"] for one in made["commitments"]["boundaries"]] == [
        one["digest"] for one in events if one["event"] == "committed"
    ]


def test_a_file_gets_what_stdout_would(audited: Auditor) -> None:
    for kind in ("text", "json", "markdown"):
        printed = audited.here("report", "last", "--format", kind)
        written = audited.here("report", "last", "--format", kind, "--output", f"report.{kind}")
        assert (printed.code, written.code) == (0, 0)
        assert written.stdout == ""
        assert (audited.folder / f"report.{kind}").read_text(encoding="utf-8") == printed.stdout


def test_text_is_what_the_interface_saves(audited: Auditor) -> None:
    printed = audited.here("report", "last").stdout
    assert printed.startswith("run ")
    assert "Evidence" in printed
    assert "\x1b" not in printed


def test_no_folder_of_this_machine_is_shown(audited: Auditor) -> None:
    for kind in ("json", "markdown"):
        assert str(audited.folder) not in audited.here("report", "last", "--format", kind).stdout


def test_what_cannot_be_written_or_found_is_said_without_a_traceback(audited: Auditor) -> None:
    missing = audited.here("report", "last", "--output", "no/such/folder/report.md")
    assert missing.code == 1
    assert "no/such/folder/report.md" in missing.stderr
    assert audited.here("report", "nothing-like-it").code == 2
