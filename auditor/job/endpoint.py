"""Where a provider is: the `endpoint` of a job file."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

ALLOWED = "local:cpu, local:cuda:N, unix:PATH, https://host:port or the name of a registered provider"
_NAME = re.compile(r"\w[\w .()+-]{0,63}")
_LOCAL = re.compile(r"local:(cpu|cuda:\d+)")


class Endpoint:
    """Where a provider is, and what the client may do there."""

    ours: ClassVar[bool] = False
    """Whether the client starts the provider, on the client's hardware. A full disk is then no fault of the provider,
    and an attack can be simulated."""

    @property
    def device(self) -> str | None:
        """The client's device that the provider computes on, `cpu` or `cuda:N`; None where the hardware is not ours."""
        return None


@dataclass(frozen=True)
class LocalEndpoint(Endpoint):
    """An agent process that the engine starts on this machine."""

    ours = True
    place: str

    @property
    def device(self) -> str:
        """See `Endpoint`."""
        return self.place


@dataclass(frozen=True)
class UnixEndpoint(Endpoint):
    """An agent that somebody else started on this machine and that listens on a Unix socket."""

    path: Path


@dataclass(frozen=True)
class HttpsEndpoint(Endpoint):
    """An agent elsewhere, reached over TLS."""

    url: str


@dataclass(frozen=True)
class RegisteredEndpoint(Endpoint):
    """A provider that the client registered under this name; the registry knows where it is."""

    name: str


Address = UnixEndpoint | HttpsEndpoint
"""Where something listens that speaks the provider protocol."""


def absolute_endpoint(text: str, folder: Path) -> str:
    """The endpoint with the path of a socket resolved against `folder`, so that it means the same from everywhere.

    Raises:
        ValueError: `text` is none of the forms in `ALLOWED`.
    """
    where = parse_endpoint(text)
    return f"unix:{(folder / where.path).resolve()}" if isinstance(where, UnixEndpoint) else text


def parse_endpoint(text: str) -> Endpoint:
    """Read an endpoint.

    Raises:
        ValueError: `text` is none of the forms in `ALLOWED`.
    """
    if match := _LOCAL.fullmatch(text):
        return LocalEndpoint(match.group(1))
    if text.startswith("unix:") and len(text) > len("unix:"):
        with contextlib.suppress(RuntimeError):  # "~nobody/…"
            return UnixEndpoint(Path(text.removeprefix("unix:")).expanduser())
    with contextlib.suppress(ValueError):  # an address or a port that cannot be one
        parts = urlsplit(text)
        plain = not (parts.query or parts.fragment) and parts.port != 0
        if parts.scheme == "https" and parts.hostname and plain:
            return HttpsEndpoint(text.rstrip("/"))
    if _NAME.fullmatch(text):
        return RegisteredEndpoint(text)
    raise ValueError(f"{text!r} is not an endpoint; give {ALLOWED}")
