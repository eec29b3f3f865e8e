"""Audits that fulfil a wish: as a table with lines for the job file, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditor.job import Job
from auditor.planning.proposal import PAPER_PARTICIPANTS, PAPER_STEPS, Proposal, Wish
from auditor.report.number_text import percent_text
from auditor.report.plan_text import chance_text, power_sentence

SHOWN = 6
"""How many proposals the table has; JSON has them all."""


def proposals_payload(job: Job, wish: Wish, proposals: Sequence[Proposal], rate: float | None) -> dict[str, Any]:
    """The wish, and all proposals, the cheapest first."""
    return {
        "name": job.name,
        "catch": wish.catch,
        "share": wish.share,
        "training_steps": job.training.steps,
        "proposals": [_payload(proposal, rate) for proposal in proposals],
    }


def _payload(proposal: Proposal, rate: float | None) -> dict[str, Any]:
    plan = proposal.plan
    dollars = plan.dollars(rate) if rate is not None else None
    return {
        "sub_run_steps": proposal.job.audit.sub_run_steps,
        "participants": plan.participants,
        "benign": plan.benign,
        "replicate_probability": proposal.probability,
        "sub_runs": plan.sub_runs,
        "replicated": plan.replicated,
        "deviating": proposal.deviating,
        "catch_probability": proposal.catch,
        "extra_steps": plan.extra_steps,
        "overhead": plan.overhead,
        "relative_price": plan.relative_price,
        "dollars": None if dollars is None else {"training": dollars[0], "audit": dollars[1]},
        "checkpoints": proposal.checkpoints,
        "of_paper": proposal.of_paper,
        "power": proposal.power,
        "measured": None if proposal.measured is None else proposal.measured.payload(),
        "as_in_job": proposal.own,
        "lines": proposal.lines,
    }


def print_proposals(job: Job, wish: Wish, proposals: Sequence[Proposal], rate: float | None) -> None:
    """A table, the cheapest first, and what to write into the job file for the first."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, best = Console(), proposals[0]
    wished = (
        f"{job.name}: the cheapest audits that catch a malicious provider with a probability of {wish.catch:g} if it "
        f"deviates in {percent_text(wish.share)} of the sub-runs, whatever it learns during the training. Figures are "
        "averages over the draws."
    )
    console.print(Text(wished))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("k", "n", "m", "of", "extra\nsteps", "train-\ning", "price", "check-\npoints", "RTTD", "power"):
        table.add_column(heading, justify="right", no_wrap=True)
    for proposal in proposals[:SHOWN]:
        plan = proposal.plan
        table.add_row(
            f"{proposal.job.audit.sub_run_steps:,}{'*' if proposal.own else ''}",
            f"{plan.participants}{'+1' if proposal.job.has_referee else ''}",
            f"{plan.replicated:.1f}",
            f"{plan.sub_runs:,}",
            f"{plan.extra_steps:,.0f}",
            percent_text(plan.overhead),
            _price(proposal, rate),
            f"{proposal.checkpoints:,.0f}",
            f"{100 * proposal.of_paper:.2g} %",
            chance_text(proposal.power),
        )
    console.print(table)
    notes = (
        "n = 2+1: two providers, and a third as referee if they disagree"
        if any(proposal.job.has_referee for proposal in proposals[:SHOWN])
        else "",
        "* the job's own k and n" if any(proposal.own for proposal in proposals[:SHOWN]) else "",
        "checkpoints: the largest number that is transferred. Two are opened for each replicated sub-run; each replica "
        "gets one and returns one. Short sub-runs cost fewer steps for the same number of checkpoints.",
        "training: extra steps as a share of the training steps",
        f"RTTD: extra steps as a share of those of the source paper (k = {PAPER_STEPS:,}, n = {PAPER_PARTICIPANTS}) "
        "for the same m",
        f"power of the first row: {_power(best)}",
    )
    for note in notes:
        if note:
            console.print(Text(note))
    console.print()
    console.print(Text("For the first row, write this under [audit], in place of replicated and fixed_selection:"))
    console.print(Text(best.lines.rstrip()))


def _price(proposal: Proposal, rate: float | None) -> str:
    dollars = proposal.plan.dollars(rate) if rate is not None else None
    if dollars is not None:
        return f"${dollars[1]:,.2f}"
    return "–" if proposal.plan.relative_price is None else f"+{percent_text(proposal.plan.relative_price)}"


def _power(proposal: Proposal) -> str:
    if proposal.measured is None:
        share = percent_text(proposal.power)
        return f"assumed; a replicated sub-run exposes {share} of the malicious providers that deviate in it"
    return power_sentence(proposal.job, proposal.measured)
