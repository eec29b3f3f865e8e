"""Pictures as characters."""

from __future__ import annotations

import numpy as np

from auditor.report.picture_text import SHADES, WIDEST, picture_lines


def test_every_pixel_is_two_characters_from_black_to_white() -> None:
    row = [[value] * 3 for value in (0, 64, 128, 192, 255)]
    (line,) = picture_lines(np.array([row], dtype=np.uint8))
    assert line == "".join(2 * shade for shade in ("·", "░", "▒", "▓", "█"))
    assert len(SHADES) == 5


def test_a_large_picture_is_thinned_out_and_keeps_its_shape() -> None:
    lines = picture_lines(np.zeros((500, 1000, 3), np.uint8))
    assert len(lines) <= WIDEST / 2
    assert {len(line) for line in lines} <= set(range(2 * WIDEST + 1))
