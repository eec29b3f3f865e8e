"""A distance that has no unit, as it compares a difference with the lengths of what differs."""

from __future__ import annotations

import numpy as np

from .streaming import Squares

UNRELATED = 2**0.5
"""The distance of two vectors of one length that have nothing in common."""

MOST = 1000.0
"""The largest distance that is given; a vector of zeros has it to any other."""


def geometric(squares: Squares) -> Squares:
    """‖u − v‖ ÷ √(‖u‖·‖v‖) for all pairs of vectors.

    0 for equal vectors, √2 for unrelated ones of one length, and √(s + 1/s) for unrelated ones whose lengths have
    the ratio s: unlike with the arithmetic mean below the line, there is no limit to it but `MOST`.

    Args:
        squares: squared distances [1 + n, 1 + n], of which the first is from the origin.

    Returns:
        The distances [n, n].
    """
    lengths = np.sqrt(squares[0, 1:])
    apart = np.sqrt(squares[1:, 1:])
    scale = np.sqrt(lengths[:, None]) * np.sqrt(lengths)
    return np.where(apart > scale * MOST, MOST, apart / np.where(scale > 0, scale, 1.0))
