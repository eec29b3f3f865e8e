"""Small pictures as characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.plugins.inspector import Picture

SHADES = "·░▒▓█"
"""From black to white."""
WIDEST = 32
"""Pixels in a row; larger pictures are shown smaller."""


def picture_lines(picture: Picture) -> list[str]:
    """A picture in shades of gray, two characters a pixel; a large one is thinned out to `WIDEST` pixels."""
    step = max(1, -(-max(picture.shape[:2]) // WIDEST))
    gray = picture[::step, ::step].astype(int).sum(axis=2)
    return ["".join(2 * SHADES[value * (len(SHADES) - 1) // 765] for value in row) for row in gray.tolist()]
