"""The `auditor` command: where every command is registered, and nothing else."""

from __future__ import annotations

import os
import sys
import threading

import typer

from auditor.cli.agent import agent
from auditor.cli.bench import bench
from auditor.cli.calibrate import calibrate
from auditor.cli.cure import cure
from auditor.cli.data import data
from auditor.cli.exit_codes import EXPLANATION, ExitCode
from auditor.cli.inspection import inspect
from auditor.cli.interface import open_interface, watch
from auditor.cli.output_streams import open_closed_streams
from auditor.cli.plan import plan
from auditor.cli.plugins import plugins
from auditor.cli.provider import provider
from auditor.cli.report import report
from auditor.cli.resume import resume
from auditor.cli.run import run
from auditor.cli.runs import runs
from auditor.cli.show import show
from auditor.cli.study import study
from auditor.cli.verify import verify

app = typer.Typer(
    name="auditor",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    epilog=EXPLANATION,
)
app.callback()(open_interface)
app.command()(run)
app.command()(resume)
app.command()(plan)
app.command()(data)
app.command()(calibrate)
app.add_typer(runs, name="runs")
app.command()(show)
app.command()(report)
app.command()(verify)
app.command()(inspect)
app.command()(cure)
app.command()(watch)
app.command()(agent)
app.command()(bench)
app.command()(study)
app.add_typer(provider, name="provider")
app.add_typer(plugins, name="plugins")


def main() -> None:
    """Run the command that the arguments name."""
    open_closed_streams()
    try:
        try:
            app()
        except SystemExit as leaving:
            _leave(leaving)
            raise
    except BrokenPipeError:
        # The reader of our output has closed it; write nothing more, not even while Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)


def _leave(leaving: SystemExit) -> None:
    """End at once where Python would not: it takes seconds to take PyTorch apart, and waits for plugins that hang.

    A command has closed all that it opened when it ends, so there is nothing that Python would still have to do.
    """
    code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    if "torch" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if threading.active_count() > 1:
        from auditor.audit.side_thread import leave

        leave(code)
