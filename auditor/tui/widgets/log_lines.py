"""Lines of a log, wrapped for the width that they have, in which words can be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from auditor.tui.widgets.lines import READING

MOST = 5000
"""So many lines are kept, the latest."""


class LogLines(ScrollView, can_focus=True):
    """The lines. What is new is scrolled to, unless the person has scrolled away from the end."""

    HELP = """What happened, the latest last, in local time. / asks for words, n and N go to the next and the previous \
line that holds them; such lines are marked."""
    DEFAULT_CSS = "LogLines { scrollbar-gutter: stable; overflow-x: hidden; overflow-y: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "find(1)", "Find next", tooltip="Go to the next line that holds the words"),
        Binding("N", "find(-1)", "Find previous", tooltip="Go to the line before that holds the words", show=False),
    ]

    class Found(Message):
        """The words were looked for: the number of the present hit, counted from 1 (0 for none), and of all."""

        def __init__(self, present: int, hits: int) -> None:
            super().__init__()
            self.present = present
            self.hits = hits

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Text] = []
        self._wrapped: list[tuple[int, Text]] = []
        self._words = ""
        self._hits: list[int] = []
        self._present: int | None = None
        self._following = True
        self._read = False

    def add(self, lines: Sequence[Text]) -> None:
        """Add lines at the end, as far as they are known now."""
        if not self._read:
            self._read = True
            self.refresh()
        if not lines:
            return
        self._lines += lines
        if len(self._lines) > MOST:
            del self._lines[:-MOST]
            self._wrap()
        else:
            for index in range(len(self._lines) - len(lines), len(self._lines)):
                self._wrap_one(index)
        self._look()
        self._measure()

    def clear(self) -> None:
        """Remove all lines."""
        self._lines, self._wrapped, self._hits, self._following = [], [], [], True
        self._measure()

    def look_for(self, words: str) -> None:
        """Mark the lines that hold the words, and go to the last of them."""
        self._words = words.casefold()
        self._present = None
        self._look()
        self.refresh()
        if self._hits:
            self._go(len(self._hits) - 1)
        else:
            self.post_message(self.Found(0, 0))

    def action_find(self, direction: int) -> None:
        """Go to the next hit, or the one before; after the last comes the first."""
        if self._hits:
            present = self._present if self._present in self._hits else self._hits[-1]
            self._go((self._hits.index(present) + direction) % len(self._hits))

    def on_resize(self) -> None:
        """Wrap all lines anew."""
        following = self._following
        self._wrap()
        self._following = following
        self._measure()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up wants to stay there; whoever comes back to the end follows what is new."""
        super().watch_scroll_y(old_value, new_value)
        self._following = new_value >= self.max_scroll_y

    def render_line(self, y: int) -> Strip:
        """One line as it is wrapped, with the words in it marked."""
        width, base = self.size.width, self.rich_style
        row = y + self.scroll_offset.y
        if row == 0 and not self._lines:
            return Strip([Segment("nothing yet" if self._read else READING, base)]).adjust_cell_length(width, base)
        if row >= len(self._wrapped):
            return Strip.blank(width, base)
        index, text = self._wrapped[row]
        if self._words and self._words in self._lines[index].plain.casefold():
            text = text.copy()
            style = Style(reverse=True) if index == self._present else Style(underline=True, bold=True)
            text.stylize(style, 9)
        segments = Segment.apply_style(text.render(self.app.console), base)
        return Strip(segment for segment in segments if segment.text != "\n").adjust_cell_length(width, base)

    def _look(self) -> None:
        self._hits = [
            index for index, line in enumerate(self._lines) if self._words and self._words in line.plain.casefold()
        ]

    def _go(self, hit: int) -> None:
        self._present = self._hits[hit]
        self._following = False
        row = next((row for row, (index, _) in enumerate(self._wrapped) if index == self._present), 0)
        self.scroll_to(y=max(0, row - self.size.height // 2), animate=False)
        self.refresh()
        self.post_message(self.Found(hit + 1, len(self._hits)))

    def _wrap(self) -> None:
        self._wrapped = []
        for index in range(len(self._lines)):
            self._wrap_one(index)
        self.refresh()

    def _wrap_one(self, index: int) -> None:
        line, width = self._lines[index], self.scrollable_content_region.width
        if width <= 0:
            return  # nothing is to be seen of it; all lines are wrapped when something is
        if line.cell_len <= width:
            self._wrapped.append((index, line))
            return
        self._wrapped += [(index, part) for part in line.wrap(self.app.console, width, overflow="fold")]

    def _measure(self) -> None:
        following = self._following
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._wrapped))
        if following:
            self._following = True
            self.call_after_refresh(self._to_end)
        self.refresh()

    def _to_end(self) -> None:
        if self._following:
            self.scroll_end(animate=False, immediate=True)
