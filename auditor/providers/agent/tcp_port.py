"""A port on which an agent listens for clients on other machines."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from auditor.job.endpoint import is_loopback
from auditor.providers.agent.private_socket import WAITING, CannotListen

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>\d{1,5})")


def host_and_port(text: str) -> tuple[str, int]:
    """Read `HOST:PORT` or `[HOST]:PORT`; the port 0 is any that is free.

    Raises:
        CannotListen: it is neither.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise CannotListen("give a host and a port, such as 0.0.0.0:8443 or [::]:8443")
    return match["six"] or match["host"], int(match["port"])


@contextmanager
def tcp_port(host: str, port: int, *, protected: bool) -> Iterator[socket.socket]:
    """A socket that listens on an address of this machine.

    Args:
        host: name or address.
        port: 0 for any.
        protected: whether clients need a token, and nobody can read along; if not, only this machine may connect.

    Raises:
        CannotListen: the address cannot be had, or others could reach an agent that is not protected.
    """
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotListen(f"the host {host} has no address ({error.strerror})") from None
    if not (protected or is_loopback(str(where[0]))):
        raise CannotListen(
            f"{host} can be reached from other machines, and an agent without TLS or without a token is for this "
            "machine alone; leave out --no-tls and --no-token, or listen on 127.0.0.1"
        )
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(WAITING)
    except OSError as error:
        bound.close()
        raise CannotListen(f"cannot listen: {error.strerror or error}") from None
    with bound:
        yield bound


def reached_as(host: str, bound: socket.socket) -> str:
    """`host:port` as clients are to name it; the name of this machine where the agent listens on all addresses."""
    port = bound.getsockname()[1]
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"
