"""From which noise on nothing can be seen: a deviation would fit in what is allowed for."""

from __future__ import annotations

BLIND = 0.5
"""Above this share, an attack would fit in the noise."""


def hides_attack(noise: float | None) -> bool:
    """Whether a deviation as large as half of what was trained would fit in the noise that is allowed for.

    Args:
        noise: as a share of how far apart models lie that have nothing in common; None where it is not known.
    """
    return noise is not None and noise > BLIND
