"""How many providers are counted on: one rule, for the plan and for every decision."""

from __future__ import annotations

import math

_TOLERANCE = 0.02
"""r is written with two digits, so that 0.67 of three, which is 2.01, means two."""


def counted_on(benign_fraction: float, participants: int) -> int:
    """How many of n providers are taken to be benign: r·n, rounded up, and always more than half of them.

    Two groups that are as large as each other are both as likely to be the benign one. So with r = 0.5 or less it is
    n // 2 + 1: of 16 nine are compared, of whom one may be malicious where only eight are benign, and medians of
    nine are hardly moved by it.

    Args:
        benign_fraction: r.
        participants: n.
    """
    rounded = math.ceil(benign_fraction * participants - _TOLERANCE * participants)
    return min(participants, max(2, participants // 2 + 1, rounded))
