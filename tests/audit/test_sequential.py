"""Audits that ask for no more than they need: a referee, an early end, more where there is a doubt."""

from __future__ import annotations

import pytest

from auditor.audit.selection import Selection
from auditor.job import parse_job
from tests.command import Auditor, job_text

BADNETS = '{ name = "badnets", rate = 0.2 }'
REFEREED = "fixed_selection = [0, 2]\nreplicas = 1"


@pytest.mark.slow
def test_a_third_is_asked_only_where_two_disagree_and_settles_who_deviates(auditor: Auditor) -> None:
    only_in_2 = f'{{ name = "intermittent", sub_runs = [2], attack = {BADNETS} }}'
    result = auditor.here("run", auditor.job(attacks={"a": only_in_2}, audit=REFEREED), "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent"}
    returned = [event["sub_run"] for event in result.events if event["event"] == "replica_returned"]
    assert sorted(returned) == [0, 2, 2]
    assert result.verdict["cost"]["extra_steps"] == 30
    assert not any("no majority" in warning for warning in result.events[0]["warnings"])


@pytest.mark.slow
def test_where_two_agree_everywhere_nobody_else_is_asked(auditor: Auditor) -> None:
    result = auditor.here("run", auditor.job(audit=REFEREED), "--json")
    assert result.code == 0, result.stderr
    assert result.verdict["cost"]["extra_steps"] == 20
    assert result.verdict["outcome"] == "clean"
    for provider in result.verdict["providers"]:
        unasked = provider["reasons"] == ["it was not asked to execute any sub-run"]
        assert provider["verdict"] == ("inconclusive" if unasked else "consistent")


@pytest.mark.slow
def test_a_run_that_may_stop_early_ends_when_its_primary_is_flagged(auditor: Auditor) -> None:
    job = auditor.job(attacks={"a": BADNETS}, steps=2000, audit="fixed_selection = [0]\nstop_early = true")
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts["a"] == "flagged"
    assert result.verdict["cost"]["training_steps"] < 2000
    assert not any(event["event"] == "model_delivered" for event in result.events)
    report = auditor.here("show", "last")
    assert "FLAGGED" in report.stdout


@pytest.mark.slow
def test_flagged_providers_that_agree_with_one_another_raise_a_doubt_about_the_assumption(auditor: Auditor) -> None:
    job = auditor.job(
        providers=["a", "b", "c", "d", "e"],
        attacks={"a": BADNETS, "b": BADNETS},
        audit="fixed_selection = [0]\nbenign_fraction = 0.6",
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert {name for name, verdict in result.verdicts.items() if verdict == "flagged"} == {"a", "b"}
    reasons = {one["name"]: " ".join(one["reasons"]) for one in result.verdict["providers"]}
    assert "two camps" in reasons["a"]
    assert "two camps" in reasons["b"]
    assert "two camps" not in reasons["c"]


def test_a_doubt_draws_more_sub_runs_and_no_more_than_allowed() -> None:
    job = parse_job(job_text(steps=200, audit="replicated = 2\nreplicated_at_most = 6"))
    selection = Selection(job, bytes(32))

    def drawn(unsure: bool) -> int:
        taken = 0
        for sub_run in range(job.sub_runs):
            taken += selection.replicated(sub_run, taken, unsure=unsure)
        return taken

    assert drawn(False) == 2
    assert drawn(True) == 6


@pytest.mark.parametrize(
    ("audit", "words"),
    [
        ("replicated = 3\nreplicated_at_most = 2", "2 does not extend 3"),
        ("replicated = 1\nreplicated_at_most = 9", "give 1 to 3"),
        ("replicate_probability = 0.5\nreplicated_at_most = 2", "extends `replicated`"),
    ],
)
def test_a_continuation_that_cannot_be_is_refused(audit: str, words: str) -> None:
    with pytest.raises(Exception, match="replicated_at_most") as caught:
        parse_job(job_text(audit=audit))
    assert words in str(caught.value)
