"""What a plan says in words: its power, where that was measured, and its warnings."""

from __future__ import annotations

from auditor.base.seeds import Seeds
from auditor.job import Job
from auditor.planning import Choice, Plan
from auditor.planning.choice import budget_of
from auditor.planning.measured_power import MeasuredRate, Power
from auditor.planning.plan import REHEARSALS
from auditor.report.figures import at_least_text, percent_text


def power_sentence(job: Job, power: Power | None) -> str:
    """How likely a replicated sub-run shows an adversary who acts in it, and where that was measured."""
    if power is None:
        return (
            "not measured for this setting: how likely a replicated sub-run shows who acts in it is not known. "
            "`auditor bench` measures it"
        )
    setting, sharing = power.setting, budget_of(job).sub_runs
    sentence = f"a replicated sub-run shows {_bound_text(power)} who act in it {_where_text(power)}"
    if setting.false_alarm_rate * max(1, sharing) > job.audit.false_alarm_rate:
        sentence += (
            f", where one sub-run could use a false-alarm rate of {setting.false_alarm_rate:g}; in this audit "
            f"{sharing} share {job.audit.false_alarm_rate:g}, so that it may be less"
        )
    if job.audit.seeds is Seeds.OWN:
        sentence += (
            ". That is from an honest checkpoint: what a primary has deviated by before is in the checkpoints of its "
            "own, and shows less where everybody draws their own seeds"
        )
    if power.unseen:
        sentence += f". It never shows {', '.join(power.unseen)}, to which none of this applies"
    return sentence


def together_sentence(job: Job, together: Power | None) -> str:
    """How likely several sub-runs judged together show who acts in all of them; empty where it was not measured."""
    if together is None:
        return ""
    count = together.setting.replicated
    sentence = (
        f"{count} replicated sub-runs judged together show {_bound_text(together)} who have acted from the first step "
        f"on {_where_text(together)}"
    )
    if count < budget_of(job).sub_runs:
        sentence += "; more of them are taken to show no less"
    if together.unseen:
        sentence += f". They never show {', '.join(together.unseen)}"
    return sentence


def false_alarm_sentence(job: Job, power: Power | None) -> str:
    """What false-alarm rate is asked for and, where it was measured, how many benign providers were flagged."""
    asked = f"{percent_text(job.audit.false_alarm_rate)} is asked for, in the whole run"
    if power is None or power.setting.false_positives.rate is None:
        return f"{asked}; not measured for this setting"
    setting = power.setting
    judged = "one sub-run" if setting.replicated == 1 else f"{setting.replicated} sub-runs together"
    return (
        f"{asked}; measured in {judged} at {percent_text(setting.false_alarm_rate)}: "
        f"{_rate_text(setting.false_positives)} of benign providers were flagged"
    )


def noise_sentence(job: Job, plan: Plan) -> str:
    """How numerical noise will be known; empty where every provider draws its own seeds."""
    if not plan.client_steps:
        return ""
    return (
        f"measured in the run: this machine executes each replicated sub-run in {REHEARSALS} ways, "
        f"{plan.client_steps:,.0f} steps in all. Each sub-run may take {job.audit.noise_seconds:g} s "
        "(audit.noise_seconds); noise is extrapolated from the steps that fit. The verdict tells what was allowed for"
    )


def catch_heading(plan: Plan) -> str:
    """What the table of probabilities holds."""
    if plan.power is None:
        return "Probability that a provider is checked in at least one sub-run that it deviates in"
    return "Probability that a provider that deviates is caught"


def free_ride_sentence(plan: Plan) -> str:
    """What the column `free ride` of that table means."""
    if not any(plan.free_ride.values()):
        return "No adversary changes these by watching which sub-runs are opened."
    return (
        "free ride: how likely an adversary that waits until the last replicated sub-run was opened finds so many "
        "unchecked ones after it, and deviates without being caught"
    )


def plan_warnings(plan: Plan, choice: Choice) -> tuple[str, ...]:
    """Everything the user should know before a start, each a sentence."""
    return (*choice.warnings, *plan.warnings)


def chance_text(value: float) -> str:
    """A probability, with as many digits as tell something."""
    if 0.999995 <= value < 1:
        return "> 0.9999"
    return "1" if value == 1 else f"{value:.3f}" if value < 0.9995 else f"{value:.5f}"


def _bound_text(power: Power) -> str:
    return f"at least {at_least_text(power.value)} of those"


def _where_text(power: Power) -> str:
    """Of which attack and over how much the bound is, and where it was measured."""
    setting = power.setting
    judged = setting.attacks[power.weakest].of
    models = setting.malicious_models.get(power.weakest)
    of_models = "" if models is None else f" of {models} model{'s' if models != 1 else ''}"
    attack = power.weakest if power.attacks == 1 else f"{power.weakest}, the least seen of {power.attacks} attacks"
    beside = ", a third being asked where two disagree" if setting.referee else ""
    return (
        f"(95 % bound over {judged} judgements{of_models} of {attack}; {_rate_text(setting.true_positives)} of all), "
        f"measured on {setting.where} with k = {setting.sub_run_steps:,}, n = {setting.participants} and "
        f"{setting.malicious} malicious{beside}"
    )


def _rate_text(rate: MeasuredRate) -> str:
    if rate.rate is None or rate.low is None or rate.high is None:
        return "none"
    return f"{percent_text(rate.rate)} ({percent_text(rate.low)} to {percent_text(rate.high)})"
