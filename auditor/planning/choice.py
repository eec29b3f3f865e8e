"""Which rule judges a job, why, and what it cannot do there; known before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass

from auditor.base.seeds import Seeds
from auditor.decisions.distances import Assumptions, Decision, Judgement
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.decisions.own_seeds import ALLOWANCE
from auditor.decisions.ratio import RatioDecision
from auditor.decisions.rules import direction_tells, select, sub_runs_for_direction
from auditor.job.model import Job

SIMULATED = (
    "The providers of this job are simulated. They train nothing and return models that are drawn at random, so a run "
    "audits nobody and delivers no trained model."
)


@dataclass(frozen=True)
class Choice:
    """A rule with its reason.

    Attributes:
        decision: the rule.
        reason: why it, as one sentence.
        warnings: what it cannot do for this job, each a sentence.
        powerless: whether it can flag nobody, so that nobody is consistent by it either.
        budget: how the false-alarm rate is shared among sub-runs and metrics.
    """

    decision: Decision
    reason: str
    warnings: tuple[str, ...]
    powerless: bool
    budget: Budget


def assumptions_of(job: Job) -> Assumptions:
    """What the job takes for granted."""
    return Assumptions(job.benign_fraction, job.audit.seeds, job.audit.false_alarm_rate)


def budget_of(job: Job) -> Budget:
    """How a job's false-alarm rate is shared among its sub-runs and metrics."""
    audit = job.audit
    own = audit.seeds is Seeds.OWN
    metrics, rate = len(job.metrics), audit.false_alarm_rate
    if audit.replicate_probability is not None:
        expected = max(1, round(audit.replicate_probability * job.sub_runs))
        return Budget(expected, False, metrics, own and direction_tells(job.participants, job.sub_runs, rate))
    most = audit.replicated_at_most or job.replicated or job.sub_runs
    adds_up = own and direction_tells(job.participants, most, rate)
    return Budget(most, True, metrics, adds_up, _interim(job, most) if adds_up else None)


def _interim(job: Job, most: int) -> int | None:
    """After how many sub-runs the direction is looked at for a first time, where something depends on it."""
    if job.audit.replicated_at_most is not None and (job.replicated or 0) < most:
        return job.replicated
    return math.ceil(most / 2) if job.audit.ends_when_flagged and most >= 8 else None


def choose(job: Job) -> Choice:
    """The rule for a job: the one it names, or the best for its n, r and seeds under `auto`."""
    assumptions, budget, count = assumptions_of(job), budget_of(job), job.participants
    if job.has_referee:
        decision: Decision = RatioDecision()
        reason = "two providers either agree or disagree, and a third settles who deviates if they disagree"
    else:
        decision, reason = select(job.audit.decision, count, assumptions)
    smallest = decision.smallest_p_value(count, assumptions)
    reached = _smallest_of_run(smallest, budget, budget.sub_runs if budget.exact else job.sub_runs)
    powerless = count > 2 and reached > assumptions.false_alarm_rate and not budget.adds_up
    warnings: list[str] = [SIMULATED] if job.simulated else []
    if count == 2 and not job.has_referee:
        warnings.append(
            "With two providers there is no majority. The outcome is inconclusive unless both agree within numerical "
            "noise. Add a third provider to settle a disagreement."
        )
    elif powerless:
        warnings.append(
            f"The {decision.name} rule cannot flag anybody here. With n = {count}, its smallest p-value in one sub-run "
            f"is {smallest:.2g}. Over all sub-runs together that gives {reached:.2g}, which is above the false alarm "
            f'rate of {assumptions.false_alarm_rate:g}. Use decision = "ratio".'
        )
    if job.audit.seeds is Seeds.OWN and count > 2:
        warnings += _limits_of_own_seeds(job, budget)
    warnings += _limits_of_coins(job)
    if job.audit.fixed_selection is not None:
        warnings.append(
            "The job file fixes which sub-runs are replicated. A provider that knows the file can cheat in the others. "
            "Use fixed_selection for tests and experiments only."
        )
    return Choice(decision, reason, tuple(warnings), powerless, budget)


def _limits_of_coins(job: Job) -> list[str]:
    """What an audit cannot see, if a provider draws what is random."""
    if job.primary_discloses:
        what = "the training and of the initial weights" if job.primary_draws_start else "the training"
        return [
            f"The primary draws the seed of {what}. It can try many seeds in secret and take the one that suits it "
            'best. Set drawn_by = "coin" or "client" to prevent that.'
        ]
    if job.primary_draws_start:
        return [
            "The primary draws the initial weights. A backdoor that is in them cannot be seen by comparing executions: "
            'every replica starts from them. Set drawn_by = "coin" or "client" to prevent that.'
        ]
    return []


def _limits_of_own_seeds(job: Job, budget: Budget) -> list[str]:
    """What an audit cannot do, and what it takes for granted, if each provider draws its own seeds."""
    count, rate = job.participants, job.audit.false_alarm_rate
    better = 'With seeds = "shared", one sub-run shows far more.'
    gross = f"Only a model that lies far more than {ALLOWANCE:g} times as far off as the others can be flagged"
    needed = sub_runs_for_direction(count, rate)
    if needed is None:
        return [
            f'With seeds = "own" and n = {count}, no number of sub-runs shows a direction at a false alarm '
            f"rate of {rate:g}. {gross}. {better}"
        ]
    if budget.sub_runs < needed:
        there = "replicates" if budget.exact else "is expected to replicate"
        return [
            'With seeds = "own", a backdoor shows by the direction in which it pulls the models. That takes '
            f"at least {needed} replicated sub-runs (n = {count}), and this job {there} {budget.sub_runs}. {gross}. "
            f"{better}"
        ]
    return [
        'With seeds = "own", a provider is flagged if its models are pulled the same way in most replicated '
        f"sub-runs. That takes at least {needed} sub-runs. A provider that deviates in only a few of them is missed. "
        f"{better}",
        f"The false alarm rate of {rate:g} is not guaranteed if something honest pulls one provider the same way in "
        "every sub-run, such as other data or another learning rate than the job's.",
    ]


def _smallest_of_run(smallest: float, budget: Budget, sub_runs: int) -> float:
    """The p-value of a provider that looks as deviant as the rule can say, in every sub-run under every metric."""
    judgements = [
        Judgement(sub_run, str(metric), "anybody", smallest, None, ())
        for sub_run in range(sub_runs)
        for metric in range(budget.metrics)
    ]
    return combined_p_value(judgements, budget) or 0.0
