"""Which rule judges a job, why, and what it cannot do there; known before anything is started."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.audit.decisions.agreement import AgreementDecision
from auditor.audit.decisions.distances import Assumptions, Decision
from auditor.audit.decisions.evidence import threshold
from auditor.audit.decisions.ks import KolmogorovSmirnovDecision, participants_needed
from auditor.audit.decisions.ratio import RatioDecision
from auditor.job.model import Job


@dataclass(frozen=True)
class Choice:
    """A rule with its reason.

    Attributes:
        decision: the rule.
        reason: why it, as one sentence.
        warnings: what it cannot do for this job, each a sentence.
        powerless: whether it can flag nobody, so that nobody is consistent by it either.
    """

    decision: Decision
    reason: str
    warnings: tuple[str, ...]
    powerless: bool


def assumptions_of(job: Job) -> Assumptions:
    """What the job takes for granted."""
    return Assumptions(job.benign_fraction, job.audit.randomness, job.audit.false_alarm_rate)


def choose(job: Job) -> Choice:
    """The rule for a job: the one it names, or the best for its n, r and randomness under `auto`."""
    assumptions, count = assumptions_of(job), job.participants
    needed = threshold(assumptions.false_alarm_rate, job.replicated or job.sub_runs, len(job.audit.metrics))
    decision, reason = _select(job, assumptions, needed)
    smallest = decision.smallest_p_value(count, assumptions)
    powerless = count > 2 and smallest > needed
    warnings: list[str] = []
    if count == 2:
        warnings.append(
            "With two providers there is no majority: the outcome is inconclusive unless both agree within "
            "numerical noise. A third provider would settle it."
        )
    elif powerless:
        enough = participants_needed(assumptions, needed)
        warnings.append(
            f"The {decision.name} rule cannot flag anybody here: with n = {count} its smallest p-value is "
            f"{smallest:.2g}, and a false-alarm rate of {assumptions.false_alarm_rate:g} asks for {needed:.2g}. "
            'Use decision = "ratio"' + (f", or at least {enough} providers." if enough else ".")
        )
    if job.audit.fixed_selection is not None:
        warnings.append(
            "The selection of sub-runs is fixed in the job file: a provider that knows the file can cheat in the "
            "others. Use it for tests and experiments only."
        )
    return Choice(decision, reason, tuple(warnings), powerless)


def _select(job: Job, assumptions: Assumptions, needed: float) -> tuple[Decision, str]:
    asked, count = job.audit.decision, job.participants
    if count == 2:
        return AgreementDecision(), "two providers can only agree or disagree"
    if asked == "ks":
        return KolmogorovSmirnovDecision(), "the job asks for it"
    if asked == "ratio":
        return RatioDecision(), "the job asks for it"
    if assumptions.randomness == "client":
        return RatioDecision(), "with the client's seeds honest results differ by numerical noise only"
    if KolmogorovSmirnovDecision().smallest_p_value(count, assumptions) > needed:
        return (
            RatioDecision(),
            f"with n = {count} a Kolmogorov–Smirnov test cannot reach the false-alarm rate",
        )
    return (
        RatioDecision(),
        f"with n = {count} a Kolmogorov–Smirnov test could reach the false-alarm rate, but it takes distances "
        "for independent that are not",
    )
