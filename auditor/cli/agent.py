"""`auditor agent`: be a provider."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, say

_NAME = re.compile(r"\w[\w .()+-]{0,63}")


def agent(
    socket: Annotated[Path, typer.Option(help="The Unix socket to listen on; a job reaches it as unix:PATH.")],
    name: Annotated[str, typer.Option(help="What this provider calls itself.")] = "agent",
    device: Annotated[str, typer.Option(help="What it trains on: cpu or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 takes all cores.")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where it keeps checkpoints; if not given, a folder under AUDITOR_HOME, by its socket."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="A file or a folder of images that jobs may use; can be given again. No other is opened."),
    ] = None,
    downloads: Annotated[bool, typer.Option(help="Download datasets of torchvision that jobs ask for.")] = False,
    keep_gigabytes: Annotated[float, typer.Option(min=0, help="Bytes of checkpoints that it keeps, in 10^9.")] = 50,
    keep_checkpoints: Annotated[int, typer.Option(min=1, help="How many checkpoints it keeps.")] = 20_000,
    keep_runs: Annotated[int, typer.Option(min=1, help="How many runs it remembers, waiting ones included.")] = 500,
    forget_hours: Annotated[
        float,
        typer.Option(min=0, help="It forgets what nobody has asked for in so long: ended runs, and checkpoints."),
    ] = 720,
) -> None:
    """Serve the provider protocol, until Ctrl-C."""
    from auditor.providers.naming import offered
    from auditor.store.home import home

    if not re.fullmatch(r"cpu|cuda:\d+", device):
        fail(f"--device {device!r}: allowed are cpu and cuda:N.", ExitCode.USAGE)
    if not _NAME.fullmatch(name):
        fail(
            f"--name {name!r}: allowed are up to 64 letters, digits, spaces and any of _.()+-, no space or sign first.",
            ExitCode.USAGE,
        )
    address = socket.absolute().parent.resolve() / socket.name
    try:
        named = offered(data or [])
    except ValueError as error:
        fail(f"--data: {error}.", ExitCode.USAGE)

    from auditor.providers.agent.limits import Limits
    from auditor.providers.agent.listening import CannotListen, held, private_socket
    from auditor.providers.agent.settings import AgentSettings

    settings = AgentSettings(
        name=name,
        device=device,
        threads=threads or os.cpu_count() or 1,
        folder=folder or home() / "agents" / hashlib.sha256(os.fsencode(address)).hexdigest()[:16],
        downloads=home() / "datasets",
        downloading=downloads,
        data=named,
        limits=Limits(
            bytes=int(keep_gigabytes * 10**9),
            checkpoints=keep_checkpoints,
            runs=keep_runs,
            forget_seconds=forget_hours * 3600,
        ),
    )
    try:
        with held(settings.folder), private_socket(address) as listening:
            say(f"{name} listens on unix:{address}; its checkpoints are in {settings.folder}")
            os.umask(0o077)  # whatever it makes is its owner's alone
            from auditor.providers.agent.serving import serve  # imports PyTorch, which takes its time

            serve(settings, listening)
    except CannotListen as error:
        fail(f"--socket {socket}: {error}.", ExitCode.USAGE)
