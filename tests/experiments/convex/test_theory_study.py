"""The study of the theory, as a user runs it."""

from __future__ import annotations

import json

import pytest

from tests.command import ROOT, Auditor

THEORY = """\
kind = "theory"
name = "small"
samples = 80
convexities = [0.05]
ratios = [0.3, 0.05]
rates = [0.5, 1.0]
sgd_steps = [5, 50]
repetitions = 3
"""


def test_what_was_measured_stands_beside_its_bound(auditor: Auditor) -> None:
    (auditor.folder / "theory.toml").write_text(THEORY)
    result = auditor.here("study", "theory.toml", "--json")
    assert result.code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = [row["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {"poisoning": 2, "return": 4, "stochastic": 2}
    assert [row["ratio"] for row in rows if row["kind"] == "poisoning"] == [0.05, 0.3]
    assert all(0 < row["distance"] <= row["bound"] for row in rows if row["kind"] == "poisoning")
    assert all(row["steps"] <= row["bound"] for row in rows if row["kind"] == "return")
    assert all(row["mean"] <= row["bound"] for row in rows if row["kind"] == "stochastic")
    folder = auditor.home / "studies" / "small"
    assert (folder / "results.html").read_text().count("<svg") == 1
    assert [path.name for path in (folder / "figures").iterdir()] == ["theory.svg"]
    again = auditor.here("study", "theory.toml")
    assert "≤" in again.stdout
    assert all(len(line) <= 80 for line in again.stdout.splitlines())


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("ratios = [0.3, 0.05]", "ratios = [0.3, 1.0]", ["theory.toml:5: ratios.1:", "less than 1"]),
        ("rates = [0.5, 1.0]", "rates = [1.5]", ["theory.toml:6: rates.0:", "less than or equal to 1"]),
        ("rates", "rate", ["theory.toml:6: rate:", "Did you mean 'rates'?"]),
    ],
)
def test_mistakes_are_one_line(auditor: Auditor, right: str, wrong: str, words: list[str]) -> None:
    (auditor.folder / "theory.toml").write_text(THEORY.replace(right, wrong, 1))
    result = auditor.here("study", "theory.toml")
    assert result.code == 2
    assert all(word in result.stderr for word in words), result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_study_of_the_documents_can_be_read() -> None:
    from auditor.experiments.convex.specification import load_theory_study

    assert load_theory_study(ROOT / "docs" / "studies" / "theory.toml").name == "theory"
