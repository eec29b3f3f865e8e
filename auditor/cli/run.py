"""`auditor run`: start an audit and see it through."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor.base.seeds import Drawer, Seeds
from auditor.cli.exit_codes import EXPLANATION
from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import user_errors
from auditor.cli.run_argument import JsonOption


def run(
    job: JobArgument,
    json: JsonOption = False,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed to use instead of the job's.")] = None,
    seeds: Annotated[
        Seeds | None, typer.Option(help="Whether providers share training seeds. Replaces the job's setting.")
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Start an audit, show its progress, and give a verdict on every provider."""
    with user_errors():
        path = job_path(job)
        loaded = load_resolved(path, plugin or ())
        if seed is not None:
            loaded = loaded.model_copy(update={"seed": seed})
        if seeds is not None:
            drawer = Drawer.CLIENT if seeds is Seeds.SHARED else Drawer.PROVIDER
            if loaded.audit.drawn_by is Drawer.COIN:  # which gives either
                drawer = Drawer.COIN
            audit = loaded.audit.model_copy(update={"seeds": seeds, "drawn_by": drawer})
            loaded = loaded.model_copy(update={"audit": audit})
        from auditor.cli.foreground_run import start

        code = start(loaded, path, json=json)
    raise typer.Exit(code)


run.__doc__ = f"{run.__doc__}\n\n{EXPLANATION}"
