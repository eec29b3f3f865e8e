"""Where an agent that others reach over a network lets its clients in: an address, a certificate and a token."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auditor.providers.agent.access_token import own_token
from auditor.providers.agent.certificate import Certificate, own_certificate
from auditor.providers.agent.private_socket import CannotListen
from auditor.providers.agent.tcp_port import host_and_port, reached_as, tcp_port
from auditor.providers.token_file import BadTokenFile


@dataclass(frozen=True)
class FrontDoor:
    """How an agent is to be reached.

    Attributes:
        address: `HOST:PORT` to listen on.
        certificate: of the owner; None has the agent make one.
        tls: whether it speaks TLS at all.
        token: whether clients must give a token.
    """

    address: str
    certificate: Certificate | None = None
    tls: bool = True
    token: bool = True


@dataclass(frozen=True)
class OpenDoor:
    """How an agent is reached while it listens.

    Attributes:
        listening: where clients connect.
        url: as clients name it.
        certificate: what it shows; None without TLS.
        token_file: holds what clients must give; None where they need not.
        token_digest: SHA-256 of that.
    """

    listening: socket.socket
    url: str
    certificate: Certificate | None
    token_file: Path | None
    token_digest: bytes | None

    def registration(self, name: str) -> str:
        """The command with which a client registers the agent, once it has a copy of the token."""
        words = ["auditor", "provider", "add", name, self.url]
        if self.token_file is not None:
            words += ["--token-file", f"{name}.token"]
        if self.certificate is not None:
            words += ["--fingerprint", self.certificate.fingerprint]
        return shlex.join(words)


@contextmanager
def opened(door: FrontDoor, name: str, folder: Path) -> Iterator[OpenDoor]:
    """Listen; a token and a certificate are made at the first start, and kept in the agent's folder.

    Raises:
        CannotListen: the address cannot be had, or the certificate or the token cannot be used.
    """
    host, port = host_and_port(door.address)
    with tcp_port(host, port, protected=door.tls and door.token) as listening:
        reached = reached_as(host, listening)
        try:
            certificate = None
            if door.tls:
                certificate = door.certificate or own_certificate(folder, name, reached.rpartition(":")[0].strip("[]"))
                certificate.check()
            token_file, digest = own_token(folder) if door.token else (None, None)
        except BadTokenFile as error:
            raise CannotListen(str(error)) from None
        except OSError as error:
            raise CannotListen(f"the folder {folder} cannot be used: {error.strerror or error}") from None
        scheme = "https" if door.tls else "http"
        yield OpenDoor(listening, f"{scheme}://{reached}", certificate, token_file, digest)
