"""The timeline: sub-runs across, providers down, a sign in each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from auditor.tui.safe_text import padded
from auditor.tui.signs import EXPLANATIONS, signs

if TYPE_CHECKING:
    from auditor.report.timeline import Cell
    from auditor.tui.run_follower import Snapshot

CELL = 2
"""Columns that a cell takes: its sign and a gap."""


class Timeline(ScrollView, can_focus=True):
    """The grid and a cursor on it."""

    HELP = """The timeline: sub-runs from left to right, one line for each provider, the primary first. The arrow \
keys or a click move the cursor. The line below and the distances pane describe the cell under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", "Earlier sub-run", show=False),
        Binding("right", "move(0, 1)", "Later sub-run", show=False),
        Binding("up", "move(-1, 0)", "Provider above", show=False),
        Binding("down", "move(1, 0)", "Provider below", show=False),
        Binding("home", "move(0, -100000)", "First sub-run", show=False),
        Binding("end", "move(0, 100000)", "Last sub-run", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "timeline--heading",
        *(f"timeline--{cell}" for cell in EXPLANATIONS),
    }
    cursor: reactive[tuple[int, int]] = reactive((0, 0))

    class CursorMoved(Message):
        """The person moved the cursor to a provider's line and a sub-run."""

        def __init__(self, provider: str, sub_run: int) -> None:
            super().__init__()
            self.provider = provider
            self.sub_run = sub_run

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._rows: list[list[Cell]] = []
        self._sub_runs = 0

    @property
    def _margin(self) -> int:
        """Columns for the providers' names."""
        longest = max((len(name) for name in self._names), default=4)
        return min(longest, 20, max(4, self.size.width // 3)) + 1

    def show(self, snapshot: Snapshot) -> None:
        """Show the grid as it is now; the cursor stays where it is."""
        from auditor.report.timeline import cell

        self._names = snapshot.names
        self._sub_runs = snapshot.job.sub_runs
        rows = [[cell(snapshot.state, name, index) for index in range(self._sub_runs)] for name in self._names]
        if rows != self._rows:
            self._rows = rows
            self._measure()
            self.refresh()

    def on_resize(self) -> None:
        """Names get more or less room."""
        self._measure()

    def _measure(self) -> None:
        self.virtual_size = Size(self._margin + CELL * self._sub_runs, len(self._names) + 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line for each provider, the heading, and a scroll bar where it is needed."""
        return len(self._names) + 1 + int(self.virtual_size.width > width)

    def select(self, provider: str, sub_run: int) -> None:
        """Put the cursor somewhere without saying that the person did."""
        if provider in self._names and self.cursor != (self._names.index(provider), sub_run):
            self.set_reactive(Timeline.cursor, (self._names.index(provider), sub_run))
            self._reveal()
            self.refresh()

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor."""
        self._go(self.cursor[0] + down, self.cursor[1] + right)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.x >= self._margin:
            self._go(offset.y - 1 + self.scroll_offset.y, (offset.x - self._margin + self.scroll_offset.x) // CELL)

    def _go(self, row: int, column: int) -> None:
        if not self._rows or not self._sub_runs:
            return
        self.cursor = (min(max(row, 0), len(self._rows) - 1), min(max(column, 0), self._sub_runs - 1))
        self._reveal()
        self.post_message(self.CursorMoved(self._names[self.cursor[0]], self.cursor[1]))

    def _reveal(self) -> None:
        row, column = self.cursor
        # The names stay where they are, so that what scrolls is narrower than the widget by their width.
        region = Region(CELL * column, row, CELL + self._margin, 2)
        self.scroll_to_region(region, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """One line: a name that stays, and signs that scroll."""
        width, base = self.size.width, self.rich_style
        line = y + self.scroll_offset.y
        if not self._rows or line > len(self._rows):
            return Strip.blank(width, base)
        heading = self.get_component_rich_style("timeline--heading")
        if line == 0:
            margin, cells = Segment(padded("sub-run", self._margin), heading), self._ruler(heading)
        else:
            margin, cells = Segment(padded(self._names[line - 1], self._margin - 1) + " ", base), self._cells(line - 1)
        offset = self.scroll_offset.x
        scrolled = Strip(cells).crop(offset, offset + max(0, width - self._margin))
        return Strip([margin, *scrolled]).adjust_cell_length(width, base)

    def _ruler(self, style: Style) -> list[Segment]:
        """The number of every fifth sub-run."""
        text = "".join(str(index).ljust(5 * CELL) for index in range(0, self._sub_runs, 5))
        return [Segment(text[: CELL * self._sub_runs].ljust(CELL * self._sub_runs), style)]

    def _cells(self, row: int) -> list[Segment]:
        segments = []
        # Looked up once a line: a timeline of many providers is drawn several times a second.
        gap, known = Segment(" ", self.rich_style), signs().cells
        styles = {cell: self.get_component_rich_style(f"timeline--{cell}") for cell in set(self._rows[row])}
        for column, cell in enumerate(self._rows[row]):
            style = styles[cell]
            if (row, column) == self.cursor:
                style += Style(reverse=True, bold=True)
            segments += [Segment(known[cell], style), gap]
        return segments
