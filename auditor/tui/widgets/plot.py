"""The plot widget, mended so that it can be drawn without colours."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Grid
from textual.strip import Strip
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget
from textual_plot.plot_widget import Legend


class PlainCanvas(Canvas):
    """A canvas whose lines always have a style: under NO_COLOR Textual's filter cannot take none."""

    def render_line(self, y: int) -> Strip:
        """A line with a style, if a null one."""
        from rich.segment import Segment
        from rich.style import Style

        strip = super().render_line(y)
        return Strip([Segment(text, style or Style.null(), control) for text, style, control in strip])


class Plot(PlotWidget):
    """A plot of curves; see `textual_plot`."""

    def compose(self) -> ComposeResult:
        """The same parts as the base class, on canvases that have styles."""
        with Grid():
            for part in ("margin-top", "margin-left", "plot", "margin-bottom"):
                yield PlainCanvas(1, 1, id=part)
        yield Legend(id="legend")
