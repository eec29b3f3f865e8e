"""`auditor agent`: be a provider."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from auditor.base.cores import usable_cores
from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, say

_NAME = re.compile(r"\w[\w .()+-]{0,63}")


def agent(
    socket: Annotated[Path, typer.Option(help="Unix socket to listen on. Jobs reach it as unix:PATH.")],
    name: Annotated[str, typer.Option(help="Name of this provider.")] = "agent",
    device: Annotated[str, typer.Option(help="Device to train on: cpu or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads. 0 uses all cores.")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for checkpoints. Default: a folder under AUDITOR_HOME, one per socket."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="File or folder of images that jobs may use. Repeatable. The agent opens no other."),
    ] = None,
    downloads: Annotated[bool, typer.Option(help="Download torchvision datasets that jobs ask for.")] = False,
    allow_code: Annotated[
        bool, typer.Option(help="Execute Python code that clients send, with the rights of this process.")
    ] = False,
    allow_digest: Annotated[
        list[str] | None,
        typer.Option(help="Execute this code of clients alone, by its SHA-256 as `auditor data` says it. Repeatable."),
    ] = None,
    keep_gigabytes: Annotated[float, typer.Option(min=0, help="Maximum gigabytes of checkpoints to keep.")] = 50,
    keep_checkpoints: Annotated[int, typer.Option(min=1, help="Maximum number of checkpoints to keep.")] = 20_000,
    keep_runs: Annotated[
        int, typer.Option(min=1, help="Maximum number of runs to keep, including waiting ones.")
    ] = 500,
    forget_hours: Annotated[
        float,
        typer.Option(min=0, help="Delete ended runs and checkpoints that no client has used for this many hours."),
    ] = 720,
) -> None:
    """Serve as a provider until Ctrl-C."""
    from auditor.providers.file_names import offered
    from auditor.store.home import home

    if not re.fullmatch(r"cpu|cuda:\d+", device):
        fail(f"--device {device!r} is not a device; give cpu or cuda:N.", ExitCode.USAGE)
    if not _NAME.fullmatch(name):
        fail(
            f"--name {name!r} is not a valid name; use up to 64 letters, digits, spaces and any of _.()+-, beginning "
            "with a letter, a digit or _.",
            ExitCode.USAGE,
        )
    address = socket.absolute().parent.resolve() / socket.name
    try:
        named = offered(data or [])
    except ValueError as error:
        fail(f"--data: {error}.", ExitCode.USAGE)

    if strange := [digest for digest in allow_digest or () if not re.fullmatch(r"[0-9a-f]{64}", digest)]:
        fail(
            f"--allow-digest {strange[0]!r} is not a SHA-256; give the 64 digits that `auditor data JOB` prints.",
            ExitCode.USAGE,
        )

    from auditor.providers.agent.limits import Limits
    from auditor.providers.agent.private_socket import CannotListen, held, private_socket
    from auditor.providers.agent.settings import AgentSettings
    from auditor.providers.agent.temporary_files import keep_temporary_files

    settings = AgentSettings(
        name=name,
        device=device,
        threads=threads or usable_cores(),
        folder=folder or home() / "agents" / hashlib.sha256(os.fsencode(address)).hexdigest()[:16],
        downloads=home() / "datasets",
        downloading=downloads,
        data=named,
        allow_code=allow_code,
        allowed_code=frozenset(allow_digest or ()),
        limits=Limits(
            bytes=int(keep_gigabytes * 10**9),
            checkpoints=keep_checkpoints,
            runs=keep_runs,
            forget_seconds=forget_hours * 3600,
        ),
    )
    try:
        with held(settings.folder), private_socket(address) as listening:
            say(f"{name} listens on unix:{address} and keeps its checkpoints in {settings.folder}")
            os.umask(0o077)  # what it makes is its owner's alone
            keep_temporary_files(settings.folder)
            from auditor.providers.agent.http_server import serve  # imports PyTorch, which takes its time

            serve(settings, listening)
    except CannotListen as error:
        fail(f"--socket {socket}: {error}.", ExitCode.USAGE)
