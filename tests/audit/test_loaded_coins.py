"""Audits of a primary that trains honestly on random features which it drew itself."""

from __future__ import annotations

from pathlib import Path

from tests.command import Auditor

JOB = """
name = "loaded"
seed = 5

[task]
kind = "random_fourier"
dataset = "digits"
features = 500
one_against_rest = 3

[training]
steps = 60

[audit]
sub_run_steps = 5
replicated = 2

[[providers]]
name = "aurora"
endpoint = "local:cpu"
primary = true
{attack}

[[providers]]
name = "borealis"
endpoint = "local:cpu"

[[providers]]
name = "cirrus"
endpoint = "local:cpu"
"""


def test_features_that_the_client_drew_cannot_be_exchanged(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(JOB.format(attack='attack = { name = "loaded_fourier" }'))
    result = Auditor(tmp_path, tmp_path / "home")("run", "job.toml", "--json")
    assert result.code == 10
    assert result.verdicts["aurora"] == "flagged"
    assert "flagged" not in (result.verdicts["borealis"], result.verdicts["cirrus"])
    (aurora,) = [one for one in result.verdict["providers"] if one["name"] == "aurora"]
    # The same fault at each checkpoint that was opened is one reason.
    (reason,) = aurora["reasons"]
    assert "model.features.directions is not what the job gives it" in reason
    assert "more like this)" in reason


def test_honest_random_features_are_clean(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(JOB.format(attack=""))
    result = Auditor(tmp_path, tmp_path / "home")("run", "job.toml", "--json")
    assert result.code == 0, result.stderr
    assert set(result.verdicts.values()) == {"consistent"}
