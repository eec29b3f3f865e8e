"""`auditor plan` with measured power, and its proposals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from auditor.cli.app import app
from auditor.planning.chances import catch_probability
from tests.command import job_text
from tests.measurements import row, write_rows


@pytest.fixture
def plan_of(tmp_path: Path) -> Path:
    """A folder with a job and with measurements."""
    (tmp_path / "job.toml").write_text(job_text(steps=1000, audit="replicated = 4", sub_run_steps=20))
    rows = [row(attacks={"badnets": (100, 0.96), "precision": (3, 0.01)}), row(k=5, low=0.8)]
    rows.append(row(k=5, low=0.8, referee=True))
    write_rows(tmp_path / "rows.json", rows)
    return tmp_path


def plan(folder: Path, *arguments: str, measured: bool = True) -> Result:
    """In this process: planning starts nothing."""
    more = ["--measured", str(folder / "rows.json")] if measured else []
    return CliRunner().invoke(app, ["plan", str(folder / "job.toml"), *more, *arguments], env={"COLUMNS": "200"})


def test_the_plan_tells_the_power_where_it_was_measured_and_what_a_watcher_can_do(plan_of: Path) -> None:
    result = plan(plan_of)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    assert "exposes at least 1.0 % of the malicious providers that deviate in it. That is the lower end" in shown
    assert "from 100 judgements under precision, the attack exposed least often of 2." in shown
    assert "Measured on digits resnet8 with k = 20, n = 3 and 1 malicious" in shown
    assert "Probability that a malicious provider is caught" in shown
    assert "warning: The primary sees which sub-runs are opened. Once it has counted 4" in shown


def test_the_power_in_json_is_that_of_the_table(plan_of: Path) -> None:
    told = json.loads(plan(plan_of, "--against", "badnets", "--json").stdout)
    assert (told["power"]["value"], told["power"]["setting"]["task"]) == (0.96, "digits resnet8")
    chances = {(one["share"], one["replicated"]): one["probability"] for one in told["catch_probability"]}
    assert chances[0.05, 4] == pytest.approx(catch_probability(50, 3, 4, 0.96))
    assert told["free_ride_probability"][0] == {"share": 0.05, "probability": 1 - catch_probability(50, 3, 4)}
    assert any("replicate_probability = 0.08" in warning for warning in told["warnings"])


def test_who_acts_in_every_sub_run_is_caught_by_all_of_them_together(plan_of: Path) -> None:
    rows = [row(low=0.1, seeds="own"), row(low=0.9, replicated=6, seeds="own", history="attacked")]
    write_rows(plan_of / "rows.json", rows)
    audit = 'replicated = 6\nrandomness = "provider"'
    (plan_of / "job.toml").write_text(job_text(steps=1000, audit=audit, sub_run_steps=20))
    shown = " ".join(plan(plan_of).stdout.split())
    assert "together 6 replicated sub-runs judged together expose at least 90 % of the malicious providers" in shown
    assert "This holds for sub-runs that start from an honest checkpoint" in shown
    assert "Measured over 6 sub-runs judged together, at a rate of 1.0 %: 1.0 %" in shown
    told = json.loads(plan(plan_of, "--json").stdout)
    assert told["power_together"]["setting"]["replicated"] == 6
    chances = {(one["share"], one["replicated"]): one["probability"] for one in told["catch_probability"]}
    assert chances[1.0, 6] == chances[1.0, 12] == 0.9
    assert chances[1.0, 3] == pytest.approx(1 - 0.9**3)
    assert chances[0.5, 6] == pytest.approx(catch_probability(50, 25, 6, 0.1))


def test_without_a_measurement_no_power_is_told(plan_of: Path) -> None:
    (plan_of / "rows.json").write_text("[]")
    assert "it was not measured for this setting" in plan(plan_of).stdout
    told = json.loads(plan(plan_of, "--json").stdout)
    assert told["power"] is None


def test_a_proposal_can_be_pasted_into_the_job(plan_of: Path) -> None:
    wish = ("--catch", "0.99", "--share", "0.1", "--against", "badnets")
    told = json.loads(plan(plan_of, *wish, "--json").stdout)
    best = told["proposals"][0]
    assert (best["sub_run_steps"], best["participants"]) == (5, 2)
    shown = plan(plan_of, *wish).stdout
    assert shown.endswith(best["lines"])
    text = job_text(steps=1000, audit=best["lines"]).replace("sub_run_steps = 10\n", "", 1)
    (plan_of / "job.toml").write_text(text)
    again = json.loads(plan(plan_of, "--json").stdout)
    assert again["extra_steps"] == pytest.approx(best["extra_steps"])
    chance = next(one["probability"] for one in again["catch_probability"] if one["share"] == 0.1)
    assert chance == pytest.approx(best["catch_probability"])
    assert chance >= 0.99
    assert again["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--catch", "0.9"), "--catch and --share go together"),
        (("--power", "0.9"), "--power goes with --catch and --share"),
        (("--catch", "1", "--share", "0.1"), "no audit catches with certainty"),
        (("--catch", "0.9", "--share", "0"), "give a share such as 0.1"),
        (("--catch", "0.9", "--share", "0.1", "--against", "bednets"), "Did you mean 'badnets'?"),
        (("--catch", "0.99999", "--share", "0.001"), "even with every sub-run replicated"),
        (("--measured", "none.json"), "none.json: cannot be read"),
    ],
)
def test_impossible_wishes_are_one_line(plan_of: Path, arguments: tuple[str, ...], words: str) -> None:
    refused = plan(plan_of, *arguments)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1
    assert words in refused.stderr
