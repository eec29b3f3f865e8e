"""What the rate of false alarms is per, and what it comes to over all providers of a run."""

from __future__ import annotations

from auditor.job.model import Job
from auditor.report.number_text import percent_text


def rate_of_any(job: Job) -> float:
    """The probability, at most, that a run flags somebody benign, whoever it is.

    Each provider is flagged though benign with the job's rate at most, and the chances of several add up to no more
    than their sum, however they depend on one another (Boole's inequality).
    """
    return min(1.0, len(job.providers) * job.audit.false_alarm_rate)


def rate_sentence(job: Job) -> str:
    """What the rate is per; without a full stop."""
    rate = job.audit.false_alarm_rate
    said = f"a false positive rate of {percent_text(rate)} per provider and run"
    if job.evolution is None:
        return said
    trainings = job.evolution.updates + 1
    return f"{said}, its {trainings:,} trainings together: each gets {percent_text(rate / trainings)}"


def any_sentence(job: Job) -> str:
    """What that comes to over all providers; without a full stop."""
    several = "all updates together, " if job.evolution is not None else ""
    return (
        f"With {len(job.providers)} providers, {several}somebody benign is flagged in at most "
        f"{percent_text(rate_of_any(job))} of such runs"
    )
