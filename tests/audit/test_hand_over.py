"""A primary that was flagged hands over: another provider trains on from the last verified checkpoint."""

from __future__ import annotations

import pytest

from tests.command import Auditor

ATTACK = '{ name = "intermittent", sub_runs = [2, 3, 4], attack = { name = "badnets", rate = 0.5 } }'


@pytest.mark.slow
def test_a_flagged_primary_hands_over_by_itself_if_the_job_says_so(auditor: Auditor) -> None:
    job = auditor.job(
        providers=("a", "b", "c", "d"),
        attacks={"a": ATTACK},
        steps=50,
        audit="fixed_selection = [1, 3]\nhand_over = true",
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    verdicts = [event for event in result.events if event["event"] == "verdict"]
    assert [one["outcome"] for one in verdicts] == ["flagged", "clean"]
    first, second = ({one["name"]: one["verdict"] for one in verdict["providers"]} for verdict in verdicts)
    assert first["a"] == "flagged"
    assert second == {"b": "consistent", "c": "consistent", "d": "consistent"}
    started = [event for event in result.events if event["event"] == "run_started"]
    assert [one["primary"] for one in started] == ["a", "b"]
    assert started[1]["steps"] == 30
    assert "train steps 20 to 50 again by b, from the last verified checkpoint, of step 20" in result.stderr


@pytest.mark.slow
def test_who_goes_on_can_be_chosen_afterwards(auditor: Auditor) -> None:
    job = auditor.job(providers=("a", "b", "c", "d"), attacks={"a": ATTACK}, steps=30, audit="fixed_selection = [1, 2]")
    flagged = auditor.here("run", job, "--json")
    assert flagged.code == 10, flagged.stderr
    run = flagged.events[0]["run"]
    assert f"auditor resume {run} --primary b" in flagged.stderr
    wrong = auditor.here("resume", run, "--primary", "a")
    assert (wrong.code, "was flagged; use one of b, c, d" in wrong.stderr) == (2, True), wrong.stderr
    result = auditor.here("resume", run, "--primary", "c", "--json")
    assert result.code == 0, result.stderr
    assert result.events[0]["primary"] == "c"
    other = auditor.here("resume", result.events[0]["run"], "--primary", "b")
    assert other.code == 2
    assert "is neither flagged nor lost; leave out --primary" in " ".join(other.stderr.split())
