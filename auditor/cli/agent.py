"""`auditor agent`: be a provider."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.base.cores import usable_cores
from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say

if TYPE_CHECKING:
    from socket import socket as Socket

    from auditor.providers.agent.certificate import Certificate
    from auditor.providers.agent.front_door import FrontDoor
    from auditor.providers.agent.settings import AgentSettings

_NAME = re.compile(r"\w[\w .()+-]{0,63}")


def agent(
    socket: Annotated[
        Path | None, typer.Option(help="Unix socket to listen on, for this machine. Jobs reach it as unix:PATH.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Address to listen on, for other machines. Jobs reach it as https://…"),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Certificate in PEM to show over TLS. Default: one that the agent makes."),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Private key of --certificate, in PEM, without a password.")] = None,
    no_tls: Annotated[bool, typer.Option("--no-tls", help="Speak without TLS. On 127.0.0.1 and ::1 only.")] = False,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let in who gives no token. On 127.0.0.1 and ::1 only.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of this provider.")] = "agent",
    device: Annotated[str, typer.Option(help="Device to train on: cpu or cuda:N.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads. 0 uses all cores.")] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for checkpoints, keys and the token. Default: one under AUDITOR_HOME per address."),
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
    client_gigabytes: Annotated[
        float, typer.Option(min=0, help="Maximum gigabytes of checkpoints to keep for one client.")
    ] = 25,
    client_runs: Annotated[int, typer.Option(min=1, help="Maximum number of runs to keep for one client.")] = 250,
    requests_per_minute: Annotated[
        int, typer.Option(min=1, help="Maximum number of requests of one machine in a minute.")
    ] = 12_000,
    connections: Annotated[int, typer.Option(min=1, help="Maximum number of connections of one machine.")] = 64,
    header_seconds: Annotated[
        float, typer.Option(min=1, help="Cut off a connection on which no request begins for this many seconds.")
    ] = 20,
    stall_seconds: Annotated[
        float, typer.Option(min=1, help="Cut off a client that takes no more of its answer for this many seconds.")
    ] = 60,
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
    door = _door(listen, certificate, key, no_tls=no_tls, no_token=no_token)
    if (socket is None) == (door is None):
        fail("give either --socket PATH or --listen HOST:PORT.", ExitCode.USAGE)
    path = None if socket is None else socket.absolute().parent.resolve() / socket.name
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
    from auditor.providers.agent.settings import AgentSettings

    settings = AgentSettings(
        name=name,
        device=device,
        threads=threads or usable_cores(),
        folder=folder or home() / "agents" / hashlib.sha256(os.fsencode(path or listen or "")).hexdigest()[:16],
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
            client_bytes=int(client_gigabytes * 10**9),
            client_runs=client_runs,
            requests_per_minute=requests_per_minute,
            connections=connections,
            header_seconds=header_seconds,
            stall_seconds=stall_seconds,
        ),
    )
    if path is not None:
        _serve_on_socket(settings, path, said=socket)
    elif door is not None:
        _serve_at_door(settings, door)


def _door(
    listen: str | None, certificate: Path | None, key: Path | None, *, no_tls: bool, no_token: bool
) -> FrontDoor | None:
    """What the options say of an address that others reach."""
    from auditor.providers.agent.certificate import Certificate
    from auditor.providers.agent.front_door import FrontDoor

    if listen is None:
        if certificate or key or no_tls or no_token:
            fail("--certificate, --key, --no-tls and --no-token belong to --listen HOST:PORT.", ExitCode.USAGE)
        return None
    if (certificate is None) != (key is None):
        fail("--certificate and --key belong together; give both files.", ExitCode.USAGE)
    if certificate is not None and no_tls:
        fail("--certificate is shown over TLS, and --no-tls speaks without; leave one of them out.", ExitCode.USAGE)
    given = None if certificate is None or key is None else Certificate(certificate.absolute(), key.absolute())
    return FrontDoor(listen, given, tls=not no_tls, token=not no_token)


def _serve_on_socket(settings: AgentSettings, path: Path, said: Path | None) -> None:
    from auditor.providers.agent.private_socket import CannotListen, held, private_socket

    try:
        with held(settings.folder), private_socket(path) as listening:
            say(f"{settings.name} listens on unix:{path} and keeps its checkpoints in {settings.folder}")
            _serve(settings, listening)
    except CannotListen as error:
        fail(f"--socket {said}: {error}.", ExitCode.USAGE)


def _serve_at_door(settings: AgentSettings, door: FrontDoor) -> None:
    from auditor.providers.agent.front_door import opened
    from auditor.providers.agent.private_socket import CannotListen, held

    try:
        with held(settings.folder), opened(door, settings.name, settings.folder) as way:
            say(f"{settings.name} listens on {way.url} and keeps its checkpoints in {settings.folder}")
            if way.token_file is not None:
                say(f"Copy {way.token_file} to the client as {settings.name}.token, with mode 0600. Run there:")
            output(way.registration(settings.name))
            _serve(replace(settings, token_digest=way.token_digest), way.listening, way.certificate)
    except CannotListen as error:
        fail(f"--listen {door.address}: {error}.", ExitCode.USAGE)


def _serve(settings: AgentSettings, listening: Socket, certificate: Certificate | None = None) -> None:
    from auditor.providers.agent.temporary_files import keep_temporary_files

    os.umask(0o077)  # what it makes is its owner's alone
    keep_temporary_files(settings.folder)
    from auditor.providers.agent.http_server import serve  # imports PyTorch, which takes its time

    serve(settings, listening, certificate)
