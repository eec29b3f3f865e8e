"""`auditor agent`: be a provider."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, say


def agent(
    socket: Annotated[Path, typer.Option(help="The Unix socket to listen on; a job reaches it as unix:PATH.")],
    name: Annotated[str, typer.Option(help="What this provider calls itself.")] = "agent",
    device: Annotated[str, typer.Option(help="What it trains on: cpu or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all cores.")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where it keeps checkpoints; a folder under AUDITOR_HOME if not given."),
    ] = None,
) -> None:
    """Serve the provider protocol, until Ctrl-C."""
    import re

    from auditor.store.home import home

    if not re.fullmatch(r"cpu|cuda:\d+", device):
        fail(f"--device {device!r}: allowed are cpu and cuda:N.", ExitCode.USAGE)
    if socket.exists() and not socket.is_socket():
        fail(f"--socket {socket}: there is a file that is not a socket; choose another path.", ExitCode.USAGE)
    if not socket.absolute().parent.is_dir():
        fail(f"--socket {socket}: there is no folder {socket.absolute().parent}.", ExitCode.USAGE)

    from auditor.providers.agent.serving import serve
    from auditor.providers.agent.settings import AgentSettings

    settings = AgentSettings(
        name=name,
        device=device,
        threads=threads or os.cpu_count() or 1,
        folder=folder or home() / "agent" / re.sub(r"[^A-Za-z0-9._-]", "-", name),
        downloads=home() / "datasets",
    )
    say(f"{name} listens on unix:{socket.absolute()}; its checkpoints are in {settings.folder}")
    try:
        serve(settings, socket)
    except OSError as error:
        fail(f"--socket {socket}: cannot listen: {error.strerror or error}.", ExitCode.FAILED)
