"""`auditor plugins`: which attacks and metrics are installed."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor.cli.narration import output

plugins = typer.Typer(no_args_is_help=True, help="Attacks and metrics that are installed.")


@plugins.callback()
def _group() -> None:
    """Attacks and metrics that are installed."""


@plugins.command("list")
def list_plugins(
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
) -> None:
    """List the installed attacks and metrics, without importing any."""
    from dataclasses import asdict

    from auditor.plugins.discovery import installed

    found = [*installed("attacks"), *installed("metrics")]
    if json:
        import json as encoder

        for plugin in found:
            output(encoder.dumps(asdict(plugin)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kind", "name", "package", "version"):
        table.add_column(heading)
    for plugin in found:
        table.add_row(plugin.kind.removesuffix("s"), Text(plugin.name), Text(plugin.package), Text(plugin.version))
    Console().print(table)
