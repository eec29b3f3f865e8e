"""What is said of false alarms: per provider and run, and over all providers and updates together."""

from __future__ import annotations

import json

from auditor.job import parse_job
from auditor.report.false_alarm_text import any_sentence, rate_of_any, rate_sentence
from auditor.report.limits import assumptions
from auditor.report.plan_text import false_alarm_sentence
from tests.command import Auditor, job_text

CHAIN = '[evolution]\nupdates = 4\ndrift = { name = "rotate", step = 4.0 }\n\n[audit]'


def test_the_rate_is_per_provider_and_run() -> None:
    job = parse_job(job_text())
    assert rate_sentence(job) == "a false positive rate of 1.0 % per provider and run"
    assert any_sentence(job) == "With 3 providers, somebody benign is flagged in at most 3.0 % of such runs"


def test_of_a_chain_it_is_over_all_updates() -> None:
    text = job_text().replace("[audit]", CHAIN).replace("[audit]\n", "[audit]\nfalse_alarm_rate = 0.02\n")
    job = parse_job(text)
    rate = "a false positive rate of 2.0 % per provider and run, its 5 trainings together: each gets 0.4 %"
    anybody = "With 3 providers, all updates together, somebody benign is flagged in at most 6.0 % of such runs"
    assert (rate_sentence(job), any_sentence(job)) == (rate, anybody)
    assert false_alarm_sentence(job, None).startswith(f"The job asks for {rate}. {anybody}. It was not measured")
    assert {f"The job asked for {rate}.", f"{anybody}."} <= set(assumptions(job))


def test_no_probability_is_more_than_one() -> None:
    job = parse_job(job_text().replace("[audit]\n", "[audit]\nfalse_alarm_rate = 0.4\n"))
    assert rate_of_any(job) == 1.0


def test_the_plan_has_both_rates(auditor: Auditor) -> None:
    (auditor.folder / "job.toml").write_text(job_text())
    plan = json.loads(auditor.here("plan", "job.toml", "--json").stdout)
    assert (plan["false_alarm_rate"], plan["false_alarm_rate_of_any"]) == (0.01, 0.03)
