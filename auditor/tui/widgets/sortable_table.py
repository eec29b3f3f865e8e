"""A table that is sorted by clicking a heading or by keys; it says when it is read, and when it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from auditor.tui.signs import signs
from auditor.tui.widgets.lines import READING

NO_HIT = "nothing holds these words"


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        key: what it stands for.
        cells: what is shown.
        sort: what each cell is sorted by.
    """

    key: str
    cells: tuple[Text, ...]
    sort: tuple[Any, ...]

    def matches(self, words: str) -> bool:
        """Whether some cell holds the words."""
        return any(words in cell.plain.casefold() for cell in self.cells)


class SortableTable(DataTable[Text]):
    """Rows under headings; a click on a heading sorts by it, another click reverses the order.

    Args:
        headings: of the columns.
        sort_by: the column that it is sorted by at first.
        reverse: whether the largest comes first.
        empty: what stands where there are no rows.
        id: of the widget.
    """

    HELP = """A table. Enter or a click opens the row under the cursor. s sorts by the next column, and S reverses the \
order. Clicks on a heading do the same. The first column, with the name, stays in sight."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort_next", "Sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "Reverse", tooltip="Reverse the order", show=False),
    ]

    def __init__(
        self,
        *headings: str,
        sort_by: int = 0,
        reverse: bool = False,
        empty: str = "nothing yet",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(cursor_type="row", fixed_columns=1, id=id)
        self._headings = headings
        self._sort_by = sort_by
        self._reverse = reverse
        self._empty = empty
        self._rows: Sequence[Row] | None = None
        self._looked_for = ""
        self._drawn_for = 0

    @property
    def is_reading(self) -> bool:
        """Whether the rows are not known yet."""
        return self._rows is None

    @property
    def selected(self) -> str | None:
        """What the cursor is on."""
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def on_mount(self) -> None:
        """Show the headings."""
        self._draw()

    @property
    def _most(self) -> int:
        """Columns for the name, which stays in sight, so that others have room beside it."""
        return max(12, self.size.width // 2) if self.size.width else 40

    def on_resize(self) -> None:
        """The name gets more or less room."""
        if self._most != self._drawn_for:
            self._draw()

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the rows; the cursor stays on what it is on."""
        if rows != self._rows:
            self._rows = rows
            self._draw()

    def search(self, words: str) -> None:
        """Show only rows that hold the words."""
        self._looked_for = words.casefold()
        self._draw()

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self._sort_by = (self._sort_by + 1) % len(self._headings)
        self._draw()

    def action_reverse(self) -> None:
        """Turn the order around."""
        self._reverse = not self._reverse
        self._draw()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        event.stop()
        self._reverse = not self._reverse if event.column_index == self._sort_by else False
        self._sort_by = event.column_index
        self._draw()

    def _draw(self) -> None:
        key, offset, self._drawn_for = self.selected, self.scroll_offset, self._most
        self.clear(columns=True)
        # What has nothing to be sorted by comes last, whatever the order.
        found = [row for row in self._rows or () if row.matches(self._looked_for)]
        with_value = [row for row in found if row.sort[self._sort_by] is not None]
        with_value.sort(key=lambda row: row.sort[self._sort_by], reverse=self._reverse)
        shown = with_value + [row for row in found if row.sort[self._sort_by] is None]
        words = "" if shown else READING if self._rows is None else NO_HIT if self._rows else self._empty
        for index, heading in enumerate(self._headings):
            sign = f" {signs().down if self._reverse else signs().up}" if index == self._sort_by else ""
            label = Text(heading + sign)
            # Given, because widths that are left to the table can be those of rows that it had before.
            width = max(label.cell_len, *(row.cells[index].cell_len for row in shown), len(words) if index == 0 else 1)
            self.add_column(label, width=min(width, self._most) if shown and index == 0 else width)
        self.show_cursor = bool(shown)
        if words:
            self.add_row(Text(words, style="dim"), *(Text() for _ in self._headings[1:]))
        for row in shown:
            name = row.cells[0].copy()
            name.truncate(self._most, overflow="ellipsis")
            self.add_row(name, *row.cells[1:], key=row.key)
        at = next((index for index, row in enumerate(shown) if row.key == key), 0)
        if shown:
            self.move_cursor(row=at, animate=False, scroll=False)
            self.scroll_to(offset.x, offset.y, animate=False)
