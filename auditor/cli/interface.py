"""`auditor` and `auditor watch`: the terminal interface. The only place that knows it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, user_errors
from auditor.cli.run_argument import RunArgument
from auditor.cli.version import VersionOption

if TYPE_CHECKING:
    from auditor.store import RunRecord


def open_interface(context: typer.Context, version: VersionOption = False) -> None:
    """Audit outsourced model training by having random parts executed again elsewhere and comparing the results.

    Without a command, auditor opens the terminal interface.
    """
    if context.invoked_subcommand is None:
        _show(None)


def watch(run: RunArgument) -> None:
    """Watch a run in the terminal interface, even if it was started elsewhere."""
    from auditor.store import Store

    with user_errors(), Store() as store:
        record = store.find_run(run)
    _show(record)


def _show(run: RunRecord | None) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        instead = "auditor --help" if run is None else f"auditor show {run.id}"
        fail(f"the interface needs a terminal; without one, use: {instead}", ExitCode.USAGE)
    from auditor.store import Store
    from auditor.tui.app import run_interface

    with user_errors(), Store() as store:
        folder = store.folder
    raise typer.Exit(run_interface(folder, run))
