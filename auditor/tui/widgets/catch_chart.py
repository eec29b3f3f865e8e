"""The probability of catching an adversary, over the number of replicated sub-runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static
from textual_plot import HiResMode

from auditor.tui.widgets.plot import Plot

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.planning import Plan

SHARES = {0.05: "red", 0.1: "yellow", 0.3: "green"}
"""The shares of deviating sub-runs that are drawn, from the lowest curve to the highest, each with its colour."""


class CatchLegend(Static):
    """What the curves and the line are. The curves never cross, so that their order tells them apart."""

    def on_mount(self) -> None:
        """Say it."""
        curves = [(f"{share:.0%}", colour) for share, colour in reversed(SHARES.items())]
        parts: list[str | tuple[str, str]] = ["from the highest curve: "]
        for number, curve in enumerate(curves):
            parts += [", " if number else "", curve]
        self.update(Text.assemble(*parts, " of the sub-runs deviate; | this job's m"))


class CatchChart(Plot):
    """One curve for each share of sub-runs in which the adversary deviates; a line marks the job's m."""

    HELP = """The probability of catching a malicious provider, by the number of replicated sub-runs (m). If the \
power is unknown, it is the probability that the provider is checked in at least one sub-run that it deviates in. The \
vertical line is the m of this job. The curves are for a provider that deviates in 5, 10 and 30 % of the sub-runs, \
from the lowest to the highest."""

    def show(self, job: Job | None, plan: Plan | None) -> None:
        """Draw the curves for a job and its plan; none without them."""
        from auditor.planning.chances import acting_sub_runs, catch_probability, independent_catch_probability

        self.clear()
        if job is None or plan is None:
            return
        power = 1.0 if plan.power is None else plan.power
        sub_runs = job.sub_runs
        counts = sorted({max(1, round(index * sub_runs / 60)) for index in range(1, 61)})
        for share, colour in SHARES.items():
            deviating = acting_sub_runs(share, sub_runs)
            if job.replicated is None:
                chances = [100 * independent_catch_probability(deviating, m / sub_runs, power) for m in counts]
            else:
                chances = [100 * catch_probability(sub_runs, deviating, m, power) for m in counts]
            self.plot([float(m) for m in counts], chances, line_style=colour, hires_mode=HiResMode.BRAILLE)
        self.add_v_line(plan.replicated, line_style="white")
        self.set_xlimits(1, max(2, sub_runs))
        self.set_ylimits(0, 100)
        self.set_xlabel("m, replicated sub-runs")
        self.set_ylabel("% caught")
