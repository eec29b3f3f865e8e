"""`auditor plan`: what an audit will do, cost and catch, before anything is started; or which audit would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import fail, output, user_errors

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.planning import Choice, Plan
    from auditor.planning.measured_power import KnownPower
    from auditor.tasks.survey import FirstLook


def plan(
    job: JobArgument,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=1e-9, help="Training steps per second at the providers. Turns prices into dollars."),
    ] = None,
    catch: Annotated[
        float | None,
        typer.Option(help="Propose the cheapest audits that catch with this probability. Needs --share."),
    ] = None,
    share: Annotated[
        float | None, typer.Option(help="Share of the sub-runs that the malicious provider deviates in. Needs --catch.")
    ] = None,
    power: Annotated[
        float | None,
        typer.Option(help="Assumed probability that a replicated sub-run, at the job's k and n, exposes a deviation."),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="ATTACK", help="Count only this measured attack. Repeatable. Default: all."),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Output of `auditor bench --json` to use instead of the bundled measurements."
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Show what an audit will do, cost and catch, without starting anything."""
    from auditor.job.evolution import first_training
    from auditor.planning import choose
    from auditor.planning.measured_power import SHIPPED, check_attacks, known_power, read_measurements

    if (catch is None) != (share is None):
        fail("--catch and --share go together. Give both, such as --catch 0.99 --share 0.1.", ExitCode.USAGE)
    if power is not None and catch is None:
        fail("--power goes with --catch and --share. Give all three, or leave --power out.", ExitCode.USAGE)
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
        first = first_training(loaded)
        known = known_power(first, rows, names)
        planned, choice = known.plan(first), choose(first)
    from auditor.tasks.survey import first_looks

    found = first_looks(loaded)
    if json:
        data = {"data": _data_payload(found[0]), "update_data": [_update_payload(look) for look in found[1:]]}
        _write(_payload(loaded, planned, choice, known, rate) | data)
    else:
        _print(loaded, planned, choice, known, rate, found)


def _data_payload(found: FirstLook) -> dict[str, Any] | None:
    if found.problem is not None:
        return {"problem": found.problem}
    return None if found.inventory is None else {"problem": None, **asdict(found.inventory)}


def _update_payload(found: FirstLook) -> dict[str, Any]:
    return {"dataset": found.dataset, "data": _data_payload(found)}


def _write(payload: dict[str, Any]) -> None:
    import json

    output(json.dumps(payload, ensure_ascii=False))


def _payload(job: Job, planned: Plan, choice: Choice, known: KnownPower, rate: float | None) -> dict[str, Any]:
    from auditor.report.false_alarm_text import rate_of_any
    from auditor.report.plan_text import plan_warnings

    dollars = planned.dollars(rate) if rate is not None else None
    return {
        "name": planned.name,
        "training_steps": planned.training_steps,
        "evolution": None if job.evolution is None else job.evolution.model_dump(mode="json", exclude_none=True),
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
        "false_alarm_rate_of_any": rate_of_any(job),
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


def _print(
    job: Job,
    planned: Plan,
    choice: Choice,
    known: KnownPower,
    rate: float | None,
    data: Sequence[FirstLook],
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.report.data_text import data_facts, data_problems
    from auditor.report.plan_text import catch_table, plan_facts, plan_measurements, plan_warnings

    console = Console()
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("job", Text(planned.name))
    texts = data_facts(data) | plan_facts(job, planned, choice, rate) | plan_measurements(job, planned, known)
    for label, words in texts.items():
        facts.add_row(label, Text(words))
    console.print(facts)
    console.print()
    chances = catch_table(planned)
    console.print(Text(chances.heading))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in chances.columns:
        table.add_column(column, justify="right")
    for row in chances.rows:
        table.add_row(*row)
    console.print(table)
    console.print(Text(chances.note))
    for warning in (*data_problems(data), *plan_warnings(planned, choice)):
        console.print(Text(f"warning: {warning}", style="yellow"))
