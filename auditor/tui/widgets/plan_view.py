"""What an audit will do, cost and catch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from auditor.tui.shown import shown
from auditor.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from auditor.job import Job, Problem
    from auditor.planning import Choice, Plan
    from auditor.planning.measured_power import KnownPower


@dataclass(frozen=True)
class Checked:
    """A job's text, read: either a job with its plan, or problems.

    Attributes:
        job: with registered names looked up; None when there are problems.
        plan: of the job.
        choice: the rule that will judge.
        known: what was measured of audits like it.
        problems: what is wrong, in the order of the file.
    """

    job: Job | None
    plan: Plan | None
    choice: Choice | None
    known: KnownPower | None
    problems: tuple[Problem, ...]


class PlanView(Lines):
    """The plan in words and its table of probabilities."""

    HELP = """The plan: what will be trained and replicated, what the audit adds in steps and dollars, and how likely \
it catches an adversary who deviates in so many sub-runs, for a few m around the job's own. The last column is how \
likely an adversary that watches which sub-runs are opened finds so many unchecked ones after the last of them."""

    def show(self, checked: Checked) -> None:
        """Show the plan of a job, or that it has none."""
        if checked.job is None or checked.plan is None or checked.choice is None or checked.known is None:
            self.write([Text("There is no plan until the job file is mended.")])
        else:
            self.write(_lines(checked.job, checked.plan, checked.choice, checked.known))


def _lines(job: Job, plan: Plan, choice: Choice, known: KnownPower) -> list[Text]:
    from auditor.report.figures import percent_text
    from auditor.report.planning import chance_text, noise_sentence, plan_warnings, power_sentence, together_sentence

    m = f"{plan.replicated:g}" if float(plan.replicated).is_integer() else f"about {plan.replicated:.1f}"
    facts = {
        "training": f"{plan.training_steps:,} steps by {job.primary.name}",
        "sub-runs": f"{plan.sub_runs} of {job.audit.sub_run_steps} steps",
        "replicated": f"{m} of them, each by {plan.participants} providers, {plan.benign} taken to be benign",
        "extra": f"{plan.extra_steps:,.0f} steps, an overhead of {percent_text(plan.overhead)}",
        "price": _price(plan),
        "decision": f"{choice.decision.name}, because {choice.reason}",
    }
    if job.plugins:
        facts["plugins"] = f"from {', '.join(file.path for file in job.plugins)}"
    unsure = "" if plan.power is not None else " if a check shows it"
    lines = [Text.assemble((f"{key:<11}", "bold"), shown(words, 300)) for key, words in facts.items()]
    lines += [Text(), Text(f"Probability of catching who deviates in …{unsure}", style="bold")]
    columns = list(next(iter(plan.catch.values())))
    lines.append(Text(" " * 18 + "".join(f"m = {m}".rjust(9) for m in columns) + "  free ride", style="dim"))
    for share, row in plan.catch.items():
        chances = "".join(f"{chance_text(value):>9}" for value in row.values())
        chances += f"{chance_text(plan.free_ride[share]):>11}"
        lines.append(Text(f"{percent_text(share):>6} of sub-runs{chances}", no_wrap=True))
    lines += [Text(), shown(f"power: {power_sentence(job, known.alone)}", 400)]
    if noise := noise_sentence(job, plan):
        lines.append(shown(f"noise: {noise}", 400))
    if told := together_sentence(job, known.together):
        lines.append(shown(f"together: {told}", 400))
    return lines + [shown(f"warning: {warning}", 400, "bold") for warning in plan_warnings(plan, choice)]


def _price(plan: Plan) -> str:
    if plan.dollars_per_hour is None:
        return "not known: some provider has no price_per_hour"
    primary, replica = plan.dollars_per_hour
    relative = plan.relative_price
    added = "" if relative is None else f"; the audit adds {100 * relative:.0f} %"
    dollars = plan.dollars(10.0)
    told = "" if dollars is None else f"; at 10 steps a second ${dollars[0]:,.2f} and ${dollars[1]:,.2f}"
    return f"${primary:.2f} an hour for the training, ${replica:.2f} for each replica{added}{told}"
