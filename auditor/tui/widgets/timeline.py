"""The timeline: sub-runs across, providers down, a sign in each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from auditor.tui.safe_text import padded, short
from auditor.tui.signs import EXPLANATIONS, signs
from auditor.tui.widgets.flag_map import column_of, first_of, flags, strongest
from auditor.tui.widgets.lines import READING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.audit.record.findings import ProviderVerdict, Verdict
    from auditor.report.timeline import Cell
    from auditor.tui.run_follower import Snapshot

CELL = 2
"""Columns that a cell takes: a gap and its sign. One more gap follows the last."""
VERDICT = 15
"""Columns for the verdict so far at the end of a line."""
PRIMARY = "*"
"""Follows the name of the primary."""


class Timeline(ScrollView, can_focus=True):
    """The grid and a cursor on it."""

    HELP = """The timeline: sub-runs from left to right, one line for each provider, the primary first. The arrow \
keys or a click move the cursor. The line below and the distances pane describe the cell under the cursor. \
The signs: · not started, ▸ training, ● committed, – not replicated, ○ drawn and waiting for a provider, ◐ being \
replicated, ◆ returned and not judged yet, ✓ consistent, ✗ flagged, ? undecided, ! failed. * is the primary, and [ ] \
is the cursor. The verdicts so far stand at the end of the lines. Where not everything fits, the second line stands \
for all sub-runs: the heavy part is what you see, and the signs are what is flagged, failed or undecided anywhere. F \
or a click on that line goes there."""

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
        "timeline--selected",
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
        self._verdicts: dict[str, Verdict] = {}
        self._only: str | None = None
        self._sub_runs = 0

    @property
    def _margin(self) -> int:
        """Columns for the providers' names."""
        longest = max((cell_len(name) for name in self._names), default=4) + len(PRIMARY)
        return max(len("sub-run"), min(longest, 20, max(4, self.size.width // 3)))

    @property
    def _tail(self) -> int:
        """Columns for the verdicts so far, where there is room for them."""
        return VERDICT if self._verdicts and self.size.width >= 50 else 0

    def show_verdicts(self, verdicts: Sequence[ProviderVerdict]) -> None:
        """Show beside every line what the audit says of its provider so far."""
        found = {verdict.name: verdict.verdict for verdict in verdicts}
        if found != self._verdicts:
            self._verdicts = found
            self._measure()
            self._reveal()
            self.refresh()

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

    @property
    def cells(self) -> set[Cell]:
        """The kinds of cells that are shown."""
        return {cell for row in self._rows for cell in row}

    def on_resize(self) -> None:
        """Names get more or less room."""
        self._measure()
        self._reveal()

    def filter(self, provider: str | None) -> None:
        """Show the line of one provider alone; None shows all."""
        self._only = provider
        self._measure()
        self.refresh(layout=True)

    @property
    def _shown(self) -> list[int]:
        """The rows that are shown."""
        return [row for row, name in enumerate(self._names) if self._only in (None, name)]

    @property
    def _shown_cells(self) -> list[list[Cell]]:
        return [self._rows[row] for row in self._shown]

    @property
    def _room(self) -> int:
        """Columns for cells."""
        return max(0, self.size.width - self._margin - self._tail)

    def _is_wider_than(self, room: int) -> bool:
        return room < CELL * self._sub_runs + 1

    @property
    def _heads(self) -> int:
        """Lines that stay in sight above the cells: the numbers, and the map of all flags if not everything fits."""
        fits = not self._is_wider_than(self._room) and len(self._shown) < self.size.height
        return 1 if fits or not self._rows else 2

    def _measure(self) -> None:
        width = self._margin + CELL * self._sub_runs + 1 + self._tail
        self.virtual_size = Size(width, len(self._shown) + self._heads)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line for each provider, and the headings."""
        return len(self._shown) + (2 if self._is_wider_than(width - self._margin - self._tail) else 1)

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
        if offset is None or not self._rows:
            return
        if offset.y == 1 and self._heads == 2:
            self._go_to_column(offset.x - self._margin)
        elif offset.x >= self._margin:
            line = min(max(0, offset.y - self._heads + self.scroll_offset.y), len(self._shown) - 1)
            self._go(self._shown[line], (offset.x - self._margin - 1 + self.scroll_offset.x) // CELL)

    def _go_to_column(self, column: int) -> None:
        """Go to the first flag behind a column of the map; without one, to its first sub-run."""
        columns = min(self._room, self._sub_runs)
        column = min(max(column, 0), columns - 1)
        begin, end = (first_of(where, columns, self._sub_runs) for where in (column, column + 1))
        there = [(sub_run, row) for sub_run, row in flags(self._shown_cells) if begin <= sub_run < end]
        sub_run, row = there[0] if there else (begin, self._shown.index(self.cursor[0]))
        self._go(self._shown[row], sub_run)

    @property
    def first_flag(self) -> tuple[str, int] | None:
        """The provider and the sub-run of the first flagged cell."""
        found = flags(self._rows)
        return (self._names[found[0][1]], found[0][0]) if found else None

    def go_to_next_flag(self) -> bool:
        """Go to the flagged cell after the cursor, and after the last one to the first; whether there is one."""
        found = [(sub_run, self._shown[row]) for sub_run, row in flags(self._shown_cells)]
        if found:
            present = (self.cursor[1], self.cursor[0])
            sub_run, row = next((one for one in found if one > present), found[0])
            self._go(row, sub_run)
        return bool(found)

    def _go(self, row: int, column: int) -> None:
        if not self._rows or not self._sub_runs:
            return
        last = len(self._rows) - 1
        row = min(max(row, 0), last) if self._only is None else self._names.index(self._only)
        self.cursor = (row, min(max(column, 0), self._sub_runs - 1))
        self._reveal()
        self.post_message(self.CursorMoved(self._names[self.cursor[0]], self.cursor[1]))

    def _reveal(self) -> None:
        row, column = self.cursor
        row = self._shown.index(row) if row in self._shown else 0
        # The names stay where they are, so that what scrolls is narrower than the widget by their width.
        region = Region(CELL * column, row, CELL + 1 + self._margin + self._tail, 1 + self._heads)
        self.scroll_to_region(region, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """One line: a name that stays, and signs that scroll."""
        width, base, heads = self.size.width, self.rich_style, self._heads
        line = y - heads + self.scroll_offset.y
        shown = self._shown
        if not self._rows or line >= len(shown):
            return Strip([Segment("" if self._rows or y else READING, base)]).adjust_cell_length(width, base)
        heading = self.get_component_rich_style("timeline--heading")
        if y == 0:
            margin, cells = Segment(padded("sub-run", self._margin), heading), self._ruler(heading)
            tail = Segment(padded("  so far", self._tail) if self._tail else "", heading)
        elif y < heads:
            return self._map(heading).adjust_cell_length(width, base)
        else:
            margin, cells, tail = self._label(shown[line]), self._cells(shown[line]), self._verdict(shown[line])
        offset = self.scroll_offset.x
        scrolled = Strip(cells).crop(offset, offset + self._room)
        return Strip([margin, *scrolled, tail]).adjust_cell_length(width, base)

    def _map(self, heading: Style) -> Strip:
        """All sub-runs in one line: what stands out wherever it is, and in how many sub-runs somebody is flagged."""
        cells, known = strongest(self._shown_cells, self._room), signs()
        count = len({sub_run for sub_run, _ in flags(self._shown_cells)})
        plain_flag = self.get_component_rich_style("timeline--flagged") + Style(reverse=False)
        label = padded(f"{known.cells['flagged']} {count}/{self._sub_runs}", self._margin)
        segments = [Segment(label, plain_flag if count else heading)]
        offset = self.scroll_offset.x
        begin, end = (
            column_of(min(max(0, where), self._sub_runs - 1), len(cells), self._sub_runs)
            for where in (offset // CELL, (offset + self._room - 2) // CELL)
        )
        for column, cell in enumerate(cells):
            line = known.in_view if begin <= column <= end else known.out_of_view
            style = heading if cell is None else self.get_component_rich_style(f"timeline--{cell}")
            segments.append(Segment(line if cell is None else known.cells[cell], style))
        tail = padded("  F: next flag" if count else "", self._tail) if self._tail else ""
        return Strip([*segments, Segment(" " * (self._room - len(cells)) + tail, heading)])

    def _label(self, row: int) -> Segment:
        """The provider, told from the others by a sign if it is the primary, and by its weight if it is selected."""
        name = self._names[row] if row else short(self._names[row], self._margin - len(PRIMARY)) + PRIMARY
        selected = self.get_component_rich_style("timeline--selected")
        return Segment(padded(name, self._margin), selected if row == self.cursor[0] else self.rich_style)

    def _verdict(self, row: int) -> Segment:
        verdict = self._verdicts.get(self._names[row])
        if not self._tail or verdict is None:
            return Segment(" " * self._tail, self.rich_style)
        kind = {"consistent": "consistent", "flagged": "flagged"}.get(verdict, "undecided")
        style = self.get_component_rich_style(f"timeline--{kind}")
        return Segment(padded(f" {signs().verdicts[verdict]} {verdict}", self._tail), style)

    def _ruler(self, style: Style) -> list[Segment]:
        """The number of every fifth sub-run."""
        text = " " + "".join(str(index).ljust(5 * CELL) for index in range(0, self._sub_runs, 5))
        return [Segment(text[: CELL * self._sub_runs + 1].ljust(CELL * self._sub_runs + 1), style)]

    def _cells(self, row: int) -> list[Segment]:
        segments = []
        marked = self.cursor[1] if row == self.cursor[0] else None
        # Looked up once a line: a timeline of many providers is drawn several times a second.
        gap, known = Segment(" ", self.rich_style), signs().cells
        selected = self.get_component_rich_style("timeline--selected")
        styles = {cell: self.get_component_rich_style(f"timeline--{cell}") for cell in set(self._rows[row])}
        for column, cell in enumerate(self._rows[row]):
            # Brackets, so that the cursor is seen without colours as well, and never taken for a flagged cell.
            before = Segment("[", selected) if column == marked else gap
            if marked is not None and column == marked + 1:
                before = Segment("]", selected)
            segments += [before, Segment(known[cell], styles[cell])]
        return [*segments, Segment("]", selected) if marked == self._sub_runs - 1 else gap]


class TimelineLegend(Static):
    """What the signs that are on the timeline mean."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said = ""

    def show(self, cells: Iterable[Cell]) -> None:
        """Name these signs, in the order in which a sub-run goes through them."""
        there = set(cells)
        words = [f"{signs().cells[cell]} {EXPLANATIONS[cell]}" for cell in EXPLANATIONS if cell in there]
        text = "  ".join([*words, f"{PRIMARY} primary", "[ ] selected"])
        if text != self._said:
            self._said = text
            self.update(text)
