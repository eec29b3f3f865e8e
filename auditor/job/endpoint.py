"""Where a provider is: the `endpoint` of a job file."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

ALLOWED = "local:cpu, local:cuda:N, unix:PATH, https://host:port or the name of a registered provider"
SIMULATED = "simulated:honest or simulated:deviating=SHARE, with a SHARE such as 0.2 of an honest update"
_NAME = re.compile(r"\w[\w .()+-]{0,63}")
_LOCAL = re.compile(r"local:(cpu|cuda:\d+)")
_SIMULATED = "simulated:"
_DEVIATING = re.compile(r"deviating=(\d{1,6}(\.\d{1,9})?)")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class Endpoint:
    """Where a provider is, and what the client may do there."""

    ours: ClassVar[bool] = False
    """Whether the client starts the provider, on the client's hardware. A full disk is then no fault of its own."""

    trains: ClassVar[bool] = True
    """Whether anything is trained there. What a simulated provider returns is drawn at random."""

    attackable: ClassVar[bool] = False
    """Whether a provider there can carry out an attack that the job names."""

    @property
    def device(self) -> str | None:
        """The client's device that the provider computes on, `cpu` or `cuda:N`; None where the hardware is not ours."""
        return None


@dataclass(frozen=True)
class LocalEndpoint(Endpoint):
    """An agent process that the engine starts on this machine."""

    ours = True
    attackable = True
    place: str

    @property
    def device(self) -> str:
        """See `Endpoint`."""
        return self.place


@dataclass(frozen=True)
class SimulatedEndpoint(Endpoint):
    """A provider that trains nothing: the engine starts it, and it returns checkpoints that are drawn at random.

    Attributes:
        deviation: how far its models lie off the honest ones, as a share of an honest update; 0 where it is honest.
    """

    ours = True
    trains = False
    deviation: float = 0.0


@dataclass(frozen=True)
class UnixEndpoint(Endpoint):
    """An agent that somebody else started on this machine and that listens on a Unix socket."""

    path: Path


@dataclass(frozen=True)
class HttpsEndpoint(Endpoint):
    """An agent elsewhere, reached over TLS.

    Attributes:
        url: without a slash at its end.
        token_file: holds the token that the agent asks for; None where it asks for none.
        fingerprint: SHA-256 of the one certificate that the agent may show, in hexadecimal digits; None where one that
            an authority vouches for will do.
    """

    url: str
    token_file: Path | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class LoopbackEndpoint(Endpoint):
    """An agent on this machine that listens on a port without TLS; its bytes never leave the machine."""

    url: str
    token_file: Path | None = None


@dataclass(frozen=True)
class RegisteredEndpoint(Endpoint):
    """A provider that the client registered under this name; the registry knows where it is."""

    name: str


Address = UnixEndpoint | HttpsEndpoint | LoopbackEndpoint
"""Where something listens that speaks the provider protocol."""


def absolute_endpoint(text: str, folder: Path) -> str:
    """The endpoint with the path of a socket resolved against `folder`, so that it means the same from everywhere.

    Raises:
        ValueError: `text` is none of the forms in `ALLOWED`.
    """
    where = parse_endpoint(text)
    return f"unix:{(folder / where.path).resolve()}" if isinstance(where, UnixEndpoint) else text


def parse_endpoint(text: str, token_file: str | None = None, fingerprint: str | None = None) -> Endpoint:
    """Read an endpoint.

    Args:
        text: where it is.
        token_file: see `HttpsEndpoint`.
        fingerprint: likewise, as `normal_fingerprint` takes it.

    Raises:
        ValueError: `text` is none of the forms in `ALLOWED`, or has no use for a token or a fingerprint.
    """
    where = _parsed(text)
    token = None if token_file is None else Path(token_file).expanduser()
    if isinstance(where, HttpsEndpoint):
        return replace(where, token_file=token, fingerprint=fingerprint and normal_fingerprint(fingerprint))
    if fingerprint is not None:
        raise ValueError(f"only an agent at https://host:port shows a certificate; {text} has no fingerprint")
    if isinstance(where, LoopbackEndpoint):
        return replace(where, token_file=token)
    if token_file is not None:
        raise ValueError(f"only an agent at a host and port asks for a token; {text} does not")
    return where


def normal_fingerprint(text: str) -> str:
    """A fingerprint as 64 lower-case digits; colons between them, and `sha256:` before them, are left out.

    Raises:
        ValueError: it is none.
    """
    digits = text.strip().lower().removeprefix("sha256:").replace(":", "")
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError(f"{text!r} is not a fingerprint; give the 64 hexadecimal digits that `auditor agent` prints")
    return digits


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host never leaves this machine."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _parsed(text: str) -> Endpoint:
    if match := _LOCAL.fullmatch(text):
        return LocalEndpoint(match.group(1))
    if text.startswith(_SIMULATED):
        return _simulated(text)
    if text.startswith("unix:") and len(text) > len("unix:"):
        with contextlib.suppress(RuntimeError):  # "~nobody/…"
            return UnixEndpoint(Path(text.removeprefix("unix:")).expanduser())
    remote = ""
    with contextlib.suppress(ValueError):  # an address or a port that cannot be one
        parts = urlsplit(text)
        plain = not (parts.query or parts.fragment or "@" in parts.netloc) and parts.port != 0
        if parts.scheme == "https" and parts.hostname and plain:
            return HttpsEndpoint(text.rstrip("/"))
        if parts.scheme == "http" and parts.hostname and plain:
            if is_loopback(parts.hostname):
                return LoopbackEndpoint(text.rstrip("/"))
            remote = "; http:// carries everything in the clear, so it is for this machine alone, as http://127.0.0.1"
    if _NAME.fullmatch(text):
        return RegisteredEndpoint(text)
    raise ValueError(f"{text!r} is not an endpoint; give {ALLOWED}{remote}")


def _simulated(text: str) -> SimulatedEndpoint:
    kind = text.removeprefix(_SIMULATED)
    if kind == "honest":
        return SimulatedEndpoint()
    match = _DEVIATING.fullmatch(kind)
    if match is None or float(match.group(1)) == 0:
        raise ValueError(f"{text!r} is not a simulated provider; give {SIMULATED}")
    return SimulatedEndpoint(float(match.group(1)))
