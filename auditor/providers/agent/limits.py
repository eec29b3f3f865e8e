"""How much an agent takes on for clients that it does not know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of all clients together, but for those that say whose they are.

    Attributes:
        bytes: of checkpoints kept, those that are on their way among them.
        checkpoints: how many are kept.
        runs: how many are remembered, waiting ones and ended ones among them.
        boundaries: of all remembered runs together.
        tosses: how many are remembered.
        forget_seconds: after how long without a question a run that ended, and the checkpoints of a client without any
            other run, are forgotten.
        partial_seconds: after how long the first bytes of an upload that broke off are forgotten.
        client_bytes: of the checkpoints of one client, likewise.
        client_runs: how many of one client are remembered.
        requests_per_minute: of one machine. Those over a Unix socket count as those of one machine.
        connections: that one machine may have at a time.
        header_seconds: how long the first line and the headers of a request may take, from the connection or the last
            answer on.
        stall_seconds: after how long a client that takes no more of its answer is cut off.
    """

    bytes: int = 50 * 10**9
    checkpoints: int = 20_000
    runs: int = 500
    boundaries: int = 1_000_000
    tosses: int = 20_000
    forget_seconds: float = 30 * 24 * 3600.0
    partial_seconds: float = 24 * 3600.0
    client_bytes: int = 25 * 10**9
    client_runs: int = 250
    requests_per_minute: float = 12_000
    connections: int = 64
    header_seconds: float = 20.0
    stall_seconds: float = 60.0


WITHOUT_LIMITS = Limits(
    bytes=2**63,
    checkpoints=2**63,
    runs=2**63,
    boundaries=2**63,
    tosses=2**63,
    forget_seconds=float("inf"),
    client_bytes=2**63,
    client_runs=2**63,
    requests_per_minute=float("inf"),
    connections=2**63,
    header_seconds=3600.0,
    stall_seconds=3600.0,
)
"""For an agent whose only client started it, on the client's own disk."""


class Full(Exception):  # noqa: N818 - the name reads as what it is
    """A limit that is reached; the message says which."""
