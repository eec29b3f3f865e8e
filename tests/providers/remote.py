"""Agents that listen on an address of this machine as they do for others: over TLS, with a token."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auditor.job.endpoint import Endpoint, parse_endpoint
from tests.command import Auditor


@dataclass(frozen=True)
class Reached:
    """A running agent, as its client has it.

    Attributes:
        process: of the agent.
        folder: where the agent keeps what is its own.
        url: its endpoint.
        token_file: the client's copy of its token; None where it asks for none.
        fingerprint: that it printed.
        registration: the command that it printed.
    """

    process: subprocess.Popen[str]
    folder: Path
    url: str
    token_file: Path | None
    fingerprint: str | None
    registration: tuple[str, ...]

    @property
    def where(self) -> Endpoint:
        """The endpoint, with what it takes to get in."""
        return parse_endpoint(self.url, None if self.token_file is None else str(self.token_file), self.fingerprint)

    def keys(self) -> str:
        """What a job file says of it beside its name."""
        lines = [f'endpoint = "{self.url}"']
        if self.token_file is not None:
            lines.append(f'token_file = "{self.token_file}"')
        if self.fingerprint is not None:
            lines.append(f'fingerprint = "{self.fingerprint}"')
        return "\n".join(lines)


@contextmanager
def remote_agent(auditor: Auditor, name: str, host: str, *arguments: str) -> Iterator[Reached]:
    """A running agent on a free port, and its token copied as a client copies it."""
    folder = auditor.folder / f"{name}-state"
    command = ["--listen", f"{host}:0", "--name", name, "--folder", str(folder), "--threads", "1", *arguments]
    process = auditor.start("agent", *command)
    try:
        yield printed(process, auditor.folder, folder, name)
    finally:
        process.terminate()
        process.communicate()


def printed(process: subprocess.Popen[str], client: Path, folder: Path, name: str) -> Reached:
    """What an agent prints once it listens, with its token copied to `client`."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    words = shlex.split(line)
    assert words[:3] == ["auditor", "provider", "add"]
    options = dict(zip(words[5::2], words[6::2], strict=True))
    token_file = client / options["--token-file"] if "--token-file" in options else None
    if token_file is not None:
        shutil.copy(folder / "token", token_file)
    return Reached(process, folder, words[4], token_file, options.get("--fingerprint"), tuple(words[1:]))
