"""Whole audits with seeds of the providers' own."""

from __future__ import annotations

import json
import signal

import pytest

from tests.command import Auditor, until

pytestmark = pytest.mark.slow

AUDIT = 'randomness = "provider"\nreplicated = 6'
FASTER = '{ name = "hyperparameter", learning_rate = 3.0 }'


@pytest.mark.timeout(300)
def test_a_primary_that_is_always_pulled_the_same_way_is_flagged_by_its_direction_also_after_a_kill(
    auditor: Auditor,
) -> None:
    job = auditor.job(providers=["a", "b", "c", "d"], attacks={"a": FASTER}, steps=60, audit=AUDIT)
    process = auditor.start("run", job, "--json")
    run = [event["run"] for event in until(process, "models_sketched")][-1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 10, resumed.stderr
    assert resumed.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent", "d": "consistent"}
    reasons = {one["name"]: " ".join(one["reasons"]) for one in resumed.verdict["providers"]}
    assert "pulled the same way in 6 replicated sub-runs" in reasons["a"]
    everything = auditor.here("show", run, "--json").events
    sketched = {event["sub_run"] for event in everything if event["event"] == "models_sketched"}
    assert sketched == set(range(6))


def test_a_clean_audit_with_seeds_of_ones_own_is_clean_and_says_what_it_cannot_do(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(providers=["a", "b", "c", "d"], steps=60, audit=AUDIT), "--json")
    assert result.code == 0, result.stderr
    assert set(result.verdicts.values()) == {"consistent"}
    assert any("not guaranteed" in warning for warning in result.events[0]["warnings"])


@pytest.mark.parametrize("own", ['seeds = "own"', 'seeds = "own"\ndrawn_by = "client"'])
def test_too_few_sub_runs_for_a_direction_are_said_to_be_too_few_and_nothing_is_sketched(
    auditor: Auditor, own: str
) -> None:
    job = auditor.job(providers=["a", "b", "c"], steps=20, audit=f"{own}\nreplicated = 2")
    result = auditor.here("run", job, "--json")
    assert result.code == 0, json.dumps(result.events[-1])
    assert not any(event["event"] == "models_sketched" for event in result.events)
    assert any("and this job replicates 2. Only a model" in warning for warning in result.events[0]["warnings"])
    (measured, *_) = (event for event in result.events if event["event"] == "distances_measured")
    apart = [value for row, values in enumerate(measured["values"]) for value in values[:row]]
    assert min(apart) > 0.01, "each provider has other seeds"
