"""`auditor runs`: all audits, and what can be done about many of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.base.hostile_text import cleaned
from auditor.cli.narration import output, say, user_errors
from auditor.cli.prune import prune

if TYPE_CHECKING:
    from auditor.store import RunRecord, Store


runs = typer.Typer(invoke_without_command=True)
runs.command("prune")(prune)


@runs.callback()
def list_runs(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line.")] = False,
) -> None:
    """List all runs, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from auditor.store import Store

    with user_errors(), Store() as store:
        rows = [_describe(store, run) for run in store.runs()]
    if json:
        import json as encoder

        for row in rows:
            output(encoder.dumps(row, ensure_ascii=False))
    elif rows:
        _print(rows)
    else:
        say("There are no runs yet. Start one with: auditor run sample:quickstart")


def _describe(store: Store, run: RunRecord) -> dict[str, Any]:
    from auditor.report.overview import summarize

    summary = summarize(store, run)
    return {
        "run": summary.run,
        "created": summary.created,
        "status": summary.status,
        "flagged": list(summary.flagged),
        "step": summary.step,
        "steps": summary.steps,
        "seconds": summary.seconds,
        "cost": asdict(summary.cost) if summary.cost is not None else None,
        "job": summary.source,
        "parent": run.parent,
        "damage": summary.damage,
        "simulated": summary.simulated,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.report.number_text import seconds_text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("run", "started (UTC)", "status", "steps", "time", "flagged"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            Text(row["run"] + (f"\n  from {row['parent']}" if row["parent"] else "")),
            row["created"][:16].replace("T", " "),
            row["status"] + (" (simulated)" if row["simulated"] else ""),
            f"{row['step']:,}/{row['steps']:,}" if row["steps"] else "–",
            seconds_text(row["seconds"]),
            Text(", ".join(row["flagged"])),
        )
    Console().print(table)
    for row in rows:
        if row["damage"] is not None:
            say(f"{row['run']} cannot be read: {cleaned(row['damage'])}.")
