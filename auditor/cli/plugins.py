"""`auditor plugins`: the attacks and metrics there are, and writing one's own."""

from __future__ import annotations

import typer

from auditor.cli.plugin_check import check
from auditor.cli.plugin_list import list_plugins
from auditor.cli.plugin_new import new

plugins = typer.Typer(no_args_is_help=True, help="Attacks and metrics: list, check and write them.")
plugins.command("list")(list_plugins)
plugins.command()(check)
plugins.command()(new)


@plugins.callback()
def _group() -> None:
    """Attacks and metrics: list, check and write them."""
