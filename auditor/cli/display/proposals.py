"""Audits that fulfil a wish: as a table with lines for the job file, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditor.job import Job
from auditor.planning.proposal import PAPER_PARTICIPANTS, PAPER_STEPS, Proposal, Wish
from auditor.report.figures import percent_text
from auditor.report.planning import chance_text, power_sentence

SHOWN = 6
"""How many proposals the table has; JSON has them all."""


def proposals_payload(job: Job, wish: Wish, proposals: Sequence[Proposal], rate: float | None) -> dict[str, Any]:
    """The wish, and all proposals, the cheapest first."""
    return {
        "name": job.name,
        "catch": wish.catch,
        "share": wish.share,
        "training_steps": job.training.steps,
        "proposals": [_payload(one, rate) for one in proposals],
    }


def _payload(one: Proposal, rate: float | None) -> dict[str, Any]:
    plan = one.plan
    dollars = plan.dollars(rate) if rate is not None else None
    return {
        "sub_run_steps": one.job.audit.sub_run_steps,
        "participants": plan.participants,
        "benign": plan.benign,
        "replicate_probability": one.probability,
        "sub_runs": plan.sub_runs,
        "replicated": plan.replicated,
        "deviating": one.deviating,
        "catch_probability": one.catch,
        "extra_steps": plan.extra_steps,
        "overhead": plan.overhead,
        "relative_price": plan.relative_price,
        "dollars": None if dollars is None else {"training": dollars[0], "audit": dollars[1]},
        "checkpoints": one.checkpoints,
        "of_paper": one.of_paper,
        "power": one.power,
        "measured": None if one.measured is None else one.measured.payload(),
        "as_in_job": one.own,
        "lines": one.lines,
    }


def print_proposals(job: Job, wish: Wish, proposals: Sequence[Proposal], rate: float | None) -> None:
    """A table, the cheapest first, and what to write into the job file for the first."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, best = Console(), proposals[0]
    wished = (
        f"{job.name}: audits that catch an adversary that acts in {percent_text(wish.share)} of the sub-runs with a "
        f"probability of {wish.catch:g}, whatever it learns while it trains; averages over the draws"
    )
    console.print(Text(wished))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("k", "n", "m", "of", "extra\nsteps", "train-\ning", "price", "check-\npoints", "RTTD", "power"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in proposals[:SHOWN]:
        plan = one.plan
        table.add_row(
            f"{one.job.audit.sub_run_steps:,}{'*' if one.own else ''}",
            f"{plan.participants}{'+1' if one.job.has_referee else ''}",
            f"{plan.replicated:.1f}",
            f"{plan.sub_runs:,}",
            f"{plan.extra_steps:,.0f}",
            percent_text(plan.overhead),
            _price(one, rate),
            f"{one.checkpoints:,.0f}",
            f"{100 * one.of_paper:.2g} %",
            chance_text(one.power),
        )
    console.print(table)
    notes = (
        "n = 2+1: two providers, and a third as referee where they disagree"
        if any(one.job.has_referee for one in proposals[:SHOWN])
        else "",
        "* k and n as in the job" if any(one.own for one in proposals[:SHOWN]) else "",
        "checkpoints: so many travel at most; two are opened for each replicated sub-run, each replica gets one and "
        "returns one. Short sub-runs cost fewer steps for as many checkpoints.",
        "training: the extra steps as a share of those of the training",
        f"RTTD: the same as a share of those of the source paper's k = {PAPER_STEPS:,} and n = {PAPER_PARTICIPANTS} "
        "with the same m",
        f"power of the first: {_power(best)}",
    )
    for note in notes:
        if note:
            console.print(Text(note))
    console.print()
    console.print(Text("In the job file, under [audit], in place of replicated and fixed_selection:"))
    console.print(Text(best.lines.rstrip()))


def _price(one: Proposal, rate: float | None) -> str:
    dollars = one.plan.dollars(rate) if rate is not None else None
    if dollars is not None:
        return f"${dollars[1]:,.2f}"
    return "–" if one.plan.relative_price is None else f"+{percent_text(one.plan.relative_price)}"


def _power(one: Proposal) -> str:
    if one.measured is None:
        return f"a replicated sub-run is assumed to show {percent_text(one.power)} of those who act in it"
    return power_sentence(one.job, one.measured)
