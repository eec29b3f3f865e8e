"""How much an agent takes on for clients that it does not know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Of all clients together.

    Attributes:
        bytes: of checkpoints kept, those that are on their way among them.
        checkpoints: how many are kept.
        runs: how many are remembered, waiting ones and ended ones among them.
        boundaries: of all remembered runs together.
        tosses: how many are remembered.
        forget_seconds: after how long without a question a run that ended, and the checkpoints of a client without any
            other run, are forgotten.
        partial_seconds: after how long the first bytes of an upload that broke off are forgotten.
    """

    bytes: int = 50 * 10**9
    checkpoints: int = 20_000
    runs: int = 500
    boundaries: int = 1_000_000
    tosses: int = 20_000
    forget_seconds: float = 30 * 24 * 3600.0
    partial_seconds: float = 24 * 3600.0


WITHOUT_LIMITS = Limits(2**63, 2**63, 2**63, 2**63, 2**63, float("inf"))
"""For an agent whose only client started it, on the client's own disk."""


class Full(Exception):  # noqa: N818 - the name reads as what it is
    """A limit that is reached; the message says which."""
