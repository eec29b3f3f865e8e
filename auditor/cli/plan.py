"""`auditor plan`: what an audit will do, cost and catch, before anything is started; or which audit would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.base.seeds import Drawer, Seeds
from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import fail, output, user_errors

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.planning import Choice, Plan
    from auditor.planning.measured_power import KnownPower

SEEDS = {
    (Seeds.SHARED, Drawer.CLIENT): "the client's",
    (Seeds.OWN, Drawer.CLIENT): "other ones for each provider, drawn by the client",
    (Seeds.OWN, Drawer.PROVIDER): "each provider's own",
}
"""What the plan says of seeds."""


def plan(
    job: JobArgument,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Steps a second that providers execute; turns prices into dollars."),
    ] = None,
    catch: Annotated[
        float | None,
        typer.Option(help="Propose the cheapest audit that catches with this probability; with --share."),
    ] = None,
    share: Annotated[
        float | None, typer.Option(help="The share of sub-runs that the adversary acts in; with --catch.")
    ] = None,
    power: Annotated[
        float | None,
        typer.Option(help="Assume that a replicated sub-run of the job's own k and n shows who acts in it so often."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="ATTACK", help="Count only this measured attack; repeatable. All if not given."),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `auditor bench --json` wrote, in place of what comes with auditor."),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Show what an audit will do, cost and catch, without starting anything."""
    from auditor.planning import choose
    from auditor.planning.measured_power import SHIPPED, check_attacks, known_power, read_measurements

    if (catch is None) != (share is None):
        fail("--catch and --share go together, such as --catch 0.99 --share 0.1.", ExitCode.USAGE)
    if power is not None and catch is None:
        fail("--power goes with --catch and --share.", ExitCode.USAGE)
    names = tuple(against or ())
    with user_errors():
        rows = read_measurements(measured or SHIPPED)
        check_attacks(names, rows)
        loaded = load_resolved(job_path(job), plugin or ())
        if catch is not None and share is not None:
            from auditor.cli.display.proposals import print_proposals, proposals_payload
            from auditor.planning.proposal import Wish, propose

            wish = Wish(catch, share, power, names)
            proposals = propose(loaded, wish, rows)
            if json:
                _write(proposals_payload(loaded, wish, proposals, rate))
            else:
                print_proposals(loaded, wish, proposals, rate)
            return
        known = known_power(loaded, rows, names)
        planned, choice = known.plan(loaded), choose(loaded)
    if json:
        _write(_payload(loaded, planned, choice, known, rate))
    else:
        _print(loaded, planned, choice, known, rate)


def _write(payload: dict[str, Any]) -> None:
    import json

    output(json.dumps(payload, ensure_ascii=False))


def _payload(job: Job, planned: Plan, choice: Choice, known: KnownPower, rate: float | None) -> dict[str, Any]:
    from auditor.report.planning import plan_warnings

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
        "client_steps": planned.client_steps,
        "relative_price": planned.relative_price,
        "dollars": None if dollars is None else {"training": dollars[0], "audit": dollars[1]},
        "seeds": job.audit.seeds,
        "drawn_by": job.audit.drawn_by,
        "decision": choice.decision.name,
        "reason": choice.reason,
        "plugins": [file.path for file in job.plugins],
        "warnings": list(plan_warnings(planned, choice)),
        "false_alarm_rate": job.audit.false_alarm_rate,
        "power": None if known.alone is None else known.alone.payload(),
        "power_together": None if known.together is None else known.together.payload(),
        "catch_probability": [
            {"share": share, "replicated": m, "probability": probability}
            for share, row in planned.catch.items()
            for m, probability in row.items()
        ],
        "free_ride_probability": [
            {"share": share, "probability": probability} for share, probability in planned.free_ride.items()
        ],
    }


def _print(job: Job, planned: Plan, choice: Choice, known: KnownPower, rate: float | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.report.figures import percent_text
    from auditor.report.planning import (
        catch_heading,
        chance_text,
        false_alarm_sentence,
        free_ride_sentence,
        noise_sentence,
        plan_warnings,
        power_sentence,
        together_sentence,
    )

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
        "seeds": SEEDS[job.audit.seeds, job.audit.drawn_by],
        "decision": f"{choice.decision.name}, because {choice.reason}",
        "power": power_sentence(job, known.alone),
        "noise": noise_sentence(job, planned),
        "together": together_sentence(job, known.together),
        "false alarms": false_alarm_sentence(job, known.together or known.alone),
        "plugins": ", ".join(file.path for file in job.plugins),
    }
    for key, value in rows.items():
        if value:
            facts.add_row(key, Text(value))
    console.print(facts)
    console.print()
    console.print(Text(catch_heading(planned)))
    catch = Table(box=None, padding=(0, 2, 0, 0))
    catch.add_column("deviates in", justify="right")
    for count in next(iter(planned.catch.values())):
        own = "*" if count == round(planned.replicated) else ""
        catch.add_column(f"m = {count}{own}", justify="right")
    catch.add_column("free ride*", justify="right")
    for share, row in planned.catch.items():
        chances = [chance_text(value) for value in (*row.values(), planned.free_ride[share])]
        catch.add_row(f"{percent_text(share)} of them", *chances)
    console.print(catch)
    console.print(Text(f"* as in the job; {free_ride_sentence(planned)}"))
    for warning in plan_warnings(planned, choice):
        console.print(Text(f"warning: {warning}", style="yellow"))


def _price(planned: Plan, rate: float | None) -> str:
    if planned.dollars_per_hour is None:
        return ""
    if rate is not None and (dollars := planned.dollars(rate)) is not None:
        return f"${dollars[0]:,.2f} for the training, ${dollars[1]:,.2f} for the audit"
    relative = planned.relative_price
    more = "" if relative is None else f"the audit adds {100 * relative:.0f} % to the price of the training; "
    return f"{more}give --rate for dollars"
