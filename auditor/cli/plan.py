"""`auditor plan`: what an audit will do, cost and catch, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import output, user_errors

if TYPE_CHECKING:
    from auditor.audit.decisions import Choice
    from auditor.job import Job, Plan


def plan(
    job: JobArgument,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Steps a second that providers execute; turns prices into dollars."),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Show what an audit will do, cost and catch, without starting anything."""
    from auditor.audit.decisions import choose
    from auditor.job import make_plan

    with user_errors():
        loaded = load_resolved(job_path(job), plugin or ())
        planned, choice = make_plan(loaded), choose(loaded)
    if json:
        import json as encoder

        output(encoder.dumps(_payload(loaded, planned, choice, rate), ensure_ascii=False))
    else:
        _print(loaded, planned, choice, rate)


def _payload(job: Job, planned: Plan, choice: Choice, rate: float | None) -> dict[str, Any]:
    dollars = planned.dollars(rate) if rate is not None else None
    return {
        "name": planned.name,
        "training_steps": planned.training_steps,
        "sub_runs": planned.sub_runs,
        "sub_run_steps": job.audit.sub_run_steps,
        "replicated": planned.replicated,
        "share": planned.share,
        "participants": planned.participants,
        "benign": planned.benign,
        "extra_steps": planned.extra_steps,
        "overhead": planned.overhead,
        "relative_price": planned.relative_price,
        "dollars": None if dollars is None else {"training": dollars[0], "audit": dollars[1]},
        "randomness": job.audit.randomness,
        "decision": choice.decision.name,
        "reason": choice.reason,
        "plugins": [file.path for file in job.plugins],
        "warnings": list(choice.warnings),
        "catch_probability": [
            {"share": share, "replicated": m, "probability": probability}
            for share, row in planned.catch.items()
            for m, probability in row.items()
        ],
    }


def _print(job: Job, planned: Plan, choice: Choice, rate: float | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.report.figures import percent_text

    console = Console()
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    m = f"{planned.replicated:g}" if planned.replicated.is_integer() else f"about {planned.replicated:.1f}"
    rows = {
        "job": planned.name,
        "training": f"{planned.training_steps:,} steps by {job.primary.name}, in {planned.sub_runs} sub-runs "
        f"of {job.audit.sub_run_steps}",
        "replicated": f"{m} sub-runs ({percent_text(planned.share)}), drawn in secret, each by "
        f"{planned.participants} providers of which {planned.benign} are taken to be benign",
        "extra": f"{planned.extra_steps:,.0f} steps, {percent_text(planned.overhead)} of the training",
        "price": _price(planned, rate),
        "seeds": "the client's" if job.audit.randomness == "client" else "each provider's own",
        "decision": f"{choice.decision.name}, because {choice.reason}",
        "plugins": ", ".join(file.path for file in job.plugins),
    }
    for key, value in rows.items():
        if value:
            facts.add_row(key, Text(value))
    console.print(facts)
    console.print()
    console.print(Text("Probability that a provider is checked in at least one sub-run that it deviates in"))
    catch = Table(box=None, padding=(0, 2, 0, 0))
    catch.add_column("deviates in", justify="right")
    for count in next(iter(planned.catch.values())):
        own = "*" if count == round(planned.replicated) else ""
        catch.add_column(f"m = {count}{own}", justify="right")
    for share, row in planned.catch.items():
        catch.add_row(f"{percent_text(share)} of them", *(_probability(value) for value in row.values()))
    console.print(catch)
    console.print(Text("* as in the job"))
    for warning in choice.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))


def _price(planned: Plan, rate: float | None) -> str:
    if planned.dollars_per_hour is None:
        return ""
    if rate is not None and (dollars := planned.dollars(rate)) is not None:
        return f"${dollars[0]:,.2f} for the training, ${dollars[1]:,.2f} for the audit"
    relative = planned.relative_price
    more = "" if relative is None else f"the audit adds {100 * relative:.0f} % to the price of the training; "
    return f"{more}give --rate for dollars"


def _probability(value: float) -> str:
    return "1" if value == 1 else f"{value:.3f}" if value < 0.9995 else f"{value:.5f}"
