"""A plan in words: its facts, its table, what is known of its power, and its warnings. Every face shows these."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.base.hostile_text import cleaned
from auditor.base.seeds import Drawer, Seeds
from auditor.job import Job
from auditor.job.evolution import update_job
from auditor.planning import Choice, Plan
from auditor.planning.choice import budget_of
from auditor.planning.measured_power import KnownPower, MeasuredRate, Power
from auditor.planning.plan import REHEARSALS
from auditor.report.false_alarm_text import any_sentence, rate_sentence
from auditor.report.number_text import at_least_text, percent_text

SEEDS = {
    (Seeds.SHARED, Drawer.CLIENT): "shared; the client draws them",
    (Seeds.OWN, Drawer.CLIENT): "not shared; the client draws other ones for each provider",
    (Seeds.OWN, Drawer.PROVIDER): "not shared; each provider draws its own",
    (Seeds.SHARED, Drawer.PROVIDER): "shared; the primary draws one for all and discloses it",
    (Seeds.SHARED, Drawer.COIN): "shared; all providers and the client toss for them",
    (Seeds.OWN, Drawer.COIN): "not shared; each follows from a coin that all providers and the client toss",
}
"""What the plan says of seeds."""
STARTS = {
    (Seeds.SHARED, Drawer.CLIENT): "the client draws them",
    (Seeds.OWN, Drawer.CLIENT): "the client draws them",
    (Seeds.OWN, Drawer.PROVIDER): "the primary draws them; nobody checks them",
    (Seeds.SHARED, Drawer.PROVIDER): "they follow from the primary's seed, which the client checks",
    (Seeds.SHARED, Drawer.COIN): "they follow from the coin; the client draws them from it",
    (Seeds.OWN, Drawer.COIN): "they follow from the coin; the client draws them from it",
}
"""What the plan says of initial weights that are not in a file."""


@dataclass(frozen=True)
class CatchTable:
    """The probabilities of a plan as text.

    Attributes:
        heading: what the probabilities are.
        columns: over the columns; the first is over the shares.
        rows: a share of the sub-runs, and its probabilities.
        note: what the marks and the last column mean.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def plan_facts(job: Job, plan: Plan, choice: Choice, rate: float | None = None) -> dict[str, str]:
    """What an audit will do and cost: a label and a text for each fact that applies.

    Args:
        job: with registered names looked up.
        plan: of the job.
        choice: the rule that will judge.
        rate: steps per second, if prices are to be turned into dollars.
    """
    facts = {
        "training": f"{plan.training_steps:,} steps by {job.primary.name}, cut into {plan.sub_runs:,} sub-runs of "
        f"{job.audit.sub_run_steps:,}",
        "updates": _updates_text(job),
        "replicated": _replicated_text(job, plan),
        "extra": f"{plan.extra_steps:,.0f} steps, {percent_text(plan.overhead)} of the training",
        "price": _price_text(plan, rate),
        "start": job.training.initial or f"fresh weights; {STARTS[job.audit.seeds, job.audit.drawn_by]}",
        "seeds": SEEDS[job.audit.seeds, job.audit.drawn_by],
        "decision": f"{choice.decision.name}, because {choice.reason}",
        "plugins": ", ".join(file.path for file in job.plugins),
    }
    return {label: text for label, text in facts.items() if text}


def plan_measurements(job: Job, plan: Plan, known: KnownPower) -> dict[str, str]:
    """What is known of an audit's power, noise and false alarms: a label and a text for each that applies.

    Args:
        job: with registered names looked up.
        plan: of the job.
        known: what was measured of audits like it.
    """
    measurements = {
        "power": power_sentence(job, known.alone),
        "together": together_sentence(job, known.together),
        "noise": noise_sentence(job, plan),
        "false alarms": false_alarm_sentence(job, known.together or known.alone),
    }
    return {label: text for label, text in measurements.items() if text}


def catch_table(plan: Plan) -> CatchTable:
    """The table of probabilities."""
    own = round(plan.replicated)
    counts = [f"m = {count}{'*' if count == own else ''}" for count in next(iter(plan.catch.values()))]
    rows = (
        (f"{percent_text(share)} of sub-runs", *map(chance_text, (*row.values(), plan.free_ride[share])))
        for share, row in plan.catch.items()
    )
    note = f"* this job. {free_ride_sentence(plan)}"
    return CatchTable(catch_heading(plan), ("deviates in", *counts, "free ride*"), tuple(rows), note)


def _replicated_text(job: Job, plan: Plan) -> str:
    count = f"{plan.replicated:g}" if plan.replicated.is_integer() else f"about {plan.replicated:.1f}"
    drawn = "drawn in secret" if job.audit.fixed_selection is None else "fixed in the job file"
    sentence = (
        f"{count} sub-runs ({percent_text(plan.share)}), {drawn}. {plan.participants} providers execute each; "
        f"{plan.benign} of them are assumed benign"
    )
    return sentence + (". A third provider is asked only where they disagree" if job.has_referee else "")


def _updates_text(job: Job) -> str:
    """What follows the first training of an evolving job; empty for others."""
    evolution = job.evolution
    if evolution is None:
        return ""
    steps = evolution.steps(job, None)
    length = f"{evolution.training.epochs:g} epochs" if steps is None else f"{steps:,} steps"
    data = "" if evolution.datasets is None else ", on a dataset of its own"
    if evolution.drift is not None:
        grows = f"drifts by {evolution.drift.step:g} each time ({evolution.drift.name})"
        data = f"{data} that {grows}" if data else f", on data that {grows}"
    shown = update_job(job, 1, None, 0 if steps is None else None)
    many = shown.replicated
    replicated = f"{many} replicated sub-runs" if many is not None else "sub-runs replicated as above"
    return (
        f"{evolution.updates} after this training, of {length} each{data}. Each is audited as a run of its own, "
        f"with {replicated} of {shown.audit.sub_run_steps:,} steps. This plan is of the first training"
    )


def _price_text(plan: Plan, rate: float | None) -> str:
    if plan.dollars_per_hour is None:
        return "unknown, because at least one provider has no price_per_hour"
    primary, replica = plan.dollars_per_hour
    sentences = [f"${primary:,.2f} an hour for the training, ${replica:,.2f} an hour for each replica"]
    if (relative := plan.relative_price) is not None:
        sentences.append(f"The audit adds {100 * relative:.0f} % to the price of the training")
    dollars = None if rate is None else plan.dollars(rate)
    if rate is None or dollars is None:
        sentences.append("`auditor plan --rate` gives totals in dollars")
    else:
        each = f"At {rate:g} steps a second the training costs ${dollars[0]:,.2f}"
        sentences.append(f"{each} and the audit ${dollars[1]:,.2f}")
    return ". ".join(sentences)


def power_sentence(job: Job, power: Power | None) -> str:
    """How likely a replicated sub-run exposes a malicious provider that deviates in it, and where that was measured."""
    if power is None:
        return (
            "unknown; it was not measured for this setting. `auditor bench` measures how likely a replicated sub-run "
            "is to expose a malicious provider that deviates in it"
        )
    setting, sharing = power.setting, budget_of(job).sub_runs
    sentences = [
        f"A replicated sub-run exposes {_bound_text(power)} that deviate in it",
        *_where_sentences(power),
    ]
    if setting.false_alarm_rate * max(1, sharing) > job.audit.false_alarm_rate:
        sentences.append(
            f"There, one sub-run could use a false alarm rate of {setting.false_alarm_rate:g}. In this audit "
            f"{sharing:,} sub-runs share {job.audit.false_alarm_rate:g}, so the power may be lower"
        )
    if job.audit.seeds is Seeds.OWN:
        sentences.append(
            "This holds for sub-runs that start from an honest checkpoint. The checkpoints of a primary that deviated "
            "before already contain its deviation, so a single sub-run exposes it less often"
        )
    if power.unseen:
        sentences.append(f"The measurement never exposed {_listed(power.unseen)}; none of this applies there")
    return ". ".join(sentences)


def together_sentence(job: Job, together: Power | None) -> str:
    """How likely several sub-runs judged together expose a provider that deviates in all; empty if not measured."""
    if together is None:
        return ""
    count = together.setting.replicated
    sentences = [
        f"{count} replicated sub-runs judged together expose {_bound_text(together)} that deviate from the first step "
        "on",
        *_where_sentences(together),
    ]
    if count < budget_of(job).sub_runs:
        sentences.append("More sub-runs are assumed to expose no fewer")
    if together.unseen:
        sentences.append(f"The measurement never exposed {_listed(together.unseen)}")
    return ". ".join(sentences)


def false_alarm_sentence(job: Job, power: Power | None) -> str:
    """What false alarm rate is asked for and, if it was measured, how many benign providers were flagged."""
    asked = f"The job asks for {rate_sentence(job)}. {any_sentence(job)}"
    if power is None or power.setting.false_positives.rate is None:
        return f"{asked}. It was not measured for this setting"
    setting = power.setting
    judged = "one sub-run" if setting.replicated == 1 else f"{setting.replicated} sub-runs judged together"
    return (
        f"{asked}. Measured over {judged}, at a rate of {percent_text(setting.false_alarm_rate)}: "
        f"{_rate_text(setting.false_positives)} of benign providers were flagged"
    )


def noise_sentence(job: Job, plan: Plan) -> str:
    """How numerical noise will be known; empty if every provider draws its own seeds."""
    if not plan.client_steps:
        return ""
    if job.audit.noise is not None:
        return (
            "read from the file that audit.noise names; the run does not measure it. The file was measured on "
            f"{cleaned(job.audit.noise.machine, 200)}. A provider whose hardware or software is unlike these may "
            "differ by more than the file allows, and be flagged although it is honest. Measure on machines like the "
            "providers' with `auditor calibrate JOB --trusted ENDPOINT`"
        )
    return (
        f"measured during the run. This machine executes each replicated sub-run in {REHEARSALS} ways, "
        f"{plan.client_steps:,.0f} steps in total. It spends up to {job.audit.noise_seconds:g} s on each sub-run "
        "(audit.noise_seconds). If not all steps fit, it extrapolates the noise from those that do. The verdict states "
        "how much noise was allowed for"
    )


def catch_heading(plan: Plan) -> str:
    """What the table of probabilities holds."""
    if plan.power is None:
        return "Probability that a malicious provider is checked in at least one sub-run that it deviates in"
    return "Probability that a malicious provider is caught"


def free_ride_sentence(plan: Plan) -> str:
    """What the column `free ride` of that table means."""
    if not any(plan.free_ride.values()):
        return "Free ride: watching which sub-runs are opened gains a malicious provider nothing."
    return (
        "Free ride: a primary can wait until the last replicated sub-run has been opened and then deviate without "
        "being caught. The column gives the probability that enough unchecked sub-runs are left by then."
    )


def plan_warnings(plan: Plan, choice: Choice) -> tuple[str, ...]:
    """Everything the user should know before a start, each a sentence."""
    return (*choice.warnings, *plan.warnings)


def chance_text(value: float) -> str:
    """A probability, with as many digits as are significant."""
    if 0.999995 <= value < 1:
        return "> 0.9999"
    return "1" if value == 1 else f"{value:.3f}" if value < 0.9995 else f"{value:.5f}"


def _bound_text(power: Power) -> str:
    return f"at least {at_least_text(power.value)} of the malicious providers"


def _where_sentences(power: Power) -> list[str]:
    """For which attack and over how much the bound holds, and where it was measured."""
    setting = power.setting
    judged = setting.attacks[power.weakest].of
    models = setting.malicious_models.get(power.weakest)
    of_models = "" if models is None else f" of {models:,} model{'s' if models != 1 else ''}"
    least = "" if power.attacks == 1 else f", the attack exposed least often of {power.attacks}"
    beside = "; a third provider was asked only where two disagreed" if setting.referee else ""
    return [
        f"That is the lower end of the 95 % confidence interval, from {judged:,} judgements{of_models} under "
        f"{power.weakest}{least}",
        f"Over all attacks, {_rate_text(setting.true_positives)} were exposed",
        f"Measured on {setting.where} with k = {setting.sub_run_steps:,}, n = {setting.participants} and "
        f"{setting.malicious} malicious{beside}",
    ]


def _rate_text(rate: MeasuredRate) -> str:
    if rate.rate is None or rate.low is None or rate.high is None:
        return "an unknown share"
    return f"{percent_text(rate.rate)} (95 % interval {percent_text(rate.low)} to {percent_text(rate.high)})"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
