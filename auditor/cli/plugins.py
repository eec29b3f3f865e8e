"""`auditor plugins`: the attacks, drifts, metrics and inspectors there are, and writing one's own."""

from __future__ import annotations

import typer

from auditor.cli.plugin_check import check
from auditor.cli.plugin_list import list_plugins
from auditor.cli.plugin_new import new

plugins = typer.Typer(no_args_is_help=True, help="List, check and write attacks, drifts, metrics and inspectors.")
plugins.command("list")(list_plugins)
plugins.command()(check)
plugins.command()(new)


@plugins.callback()
def _group() -> None:
    """List, check and write attacks, drifts, metrics and inspectors."""
