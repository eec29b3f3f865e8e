"""What an audit will do, cost and catch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from auditor.tui.safe_text import safe_text
from auditor.tui.widgets.lines import READING, Lines

if TYPE_CHECKING:
    from auditor.job import Job, Problem
    from auditor.planning import Choice, Plan
    from auditor.planning.measured_power import KnownPower
    from auditor.tasks.survey import FirstLook

STEPS_A_SECOND = 10.0
"""The speed of providers for which the view turns prices into dollars."""
LONGEST = 1500
"""How many characters of one fact or warning are shown."""


@dataclass(frozen=True)
class Checked:
    """A job's text, read: either a job with its plan, or problems.

    Attributes:
        job: with registered names looked up; None when there are problems.
        plan: of the job.
        choice: the rule that will judge.
        known: what was measured of audits like it.
        problems: what is wrong, in the order of the file.
        data: what a quick look at the data, and at that of each update, shows; None while it is taken.
    """

    job: Job | None
    plan: Plan | None
    choice: Choice | None
    known: KnownPower | None
    problems: tuple[Problem, ...]
    data: Sequence[FirstLook] | None = None


class PlanView(Lines):
    """The plan in words and its table of probabilities."""

    HELP = """The plan: what is trained and replicated, what the audit adds in steps and dollars, and how likely it \
catches a malicious provider. The table has a row for each share of the sub-runs that the provider deviates in, and a \
column for each m around the job's own. The last column is the probability that a primary that waits until the last \
replicated sub-run has been opened finds enough unchecked sub-runs after it."""

    def show(self, checked: Checked) -> None:
        """Show the plan of a job, or that it has none."""
        if checked.job is None or checked.plan is None or checked.choice is None or checked.known is None:
            self.write([Text("There is no plan yet. Correct the problems in the job file first.")])
        else:
            self.write(_lines(checked.job, checked.plan, checked.choice, checked.known, checked.data))


def _lines(job: Job, plan: Plan, choice: Choice, known: KnownPower, data: Sequence[FirstLook] | None) -> list[Text]:
    from auditor.report.data_text import data_facts, data_problems
    from auditor.report.plan_text import catch_table, plan_facts, plan_measurements, plan_warnings

    seen = {"data": READING} if data is None else data_facts(data)
    lines = _labelled(seen | plan_facts(job, plan, choice, STEPS_A_SECOND))
    table = catch_table(plan)
    lines += [Text(), Text(table.heading, style="bold"), Text(_row(table.columns), style="dim", no_wrap=True)]
    lines += [Text(_row(row), no_wrap=True) for row in table.rows]
    lines += [Text(table.note), Text(), *_labelled(plan_measurements(job, plan, known)), Text()]
    warnings = [*data_problems(data or ()), *plan_warnings(plan, choice)]
    return lines + [safe_text(f"warning: {warning}", LONGEST, "bold") for warning in warnings]


def _labelled(texts: dict[str, str]) -> list[Text]:
    width = max(map(len, texts)) + 1
    return [Text.assemble((label.ljust(width), "bold"), safe_text(words, LONGEST)) for label, words in texts.items()]


def _row(cells: tuple[str, ...]) -> str:
    """Cells in columns that fit 80 columns."""
    share, *chances, free_ride = cells
    return f"{share:>20}" + "".join(f"{chance:>9}" for chance in chances) + f"{free_ride:>12}"
