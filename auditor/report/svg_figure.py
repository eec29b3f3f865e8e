"""SVG by matplotlib, to stand in a page."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MALICIOUS, BENIGN, MIXED = "#c0392b", "#2d6da3", "#8e6bb0"
COLOURS = (BENIGN, MALICIOUS, "#2e8b57", "#b8860b", MIXED, "#555555", "#d2691e", "#20808d")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, its size in inches; nothing else keeps it, so it needs no closing."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def as_svg(figure: Figure) -> str:
    """The drawing alone, the same for the same figure."""
    import matplotlib

    drawn = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "auditor"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
