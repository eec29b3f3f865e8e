"""Lines of text that scroll and can have the focus."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.widgets import Static

from auditor.tui.signs import signs

READING = "Reading…"
"""What stands where something is not read yet."""


class Lines(VerticalScroll, can_focus=True):
    """Shows lines that someone else composed; the base of the panes that only tell something.

    Until the first lines come, it says that they are read. While there are more lines below than fit, its last line
    says how many, and the heading that comes next.
    """

    DEFAULT_CSS = """
    Lines { height: 1fr; layers: lines more; }
    Lines > Static { width: 1fr; height: auto; layer: lines; }
    Lines > .more {
        layer: more; dock: bottom; height: 1; display: none;
        text-style: bold; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._text = Static(READING, markup=False)
        self._more = Static(markup=False, classes="more")
        self._shown: Text | None = None

    def compose(self) -> Iterable[Static]:
        """The text, and the sign that there is more of it."""
        yield self._text
        yield self._more

    def write(self, lines: Iterable[Text]) -> None:
        """Replace what is shown; what is the same is not drawn again."""
        text = Text("\n").join(lines)
        if text != self._shown:
            self._shown = text
            self._text.update(text)

    def redraw(self) -> None:
        """Draw the same again, in the colours of another theme."""
        if self._shown is not None:
            self._text.update(self._shown)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What is below changes."""
        super().watch_scroll_y(old_value, new_value)
        self._say_more()

    def watch_virtual_size(self, virtual_size: Size) -> None:
        """Likewise."""
        self._say_more()

    def on_resize(self) -> None:
        """Likewise."""
        self._say_more()

    def _say_more(self) -> None:
        below = self.max_scroll_y - round(self.scroll_y)
        self._more.display = below > 0
        if below > 0 and self._shown is not None:
            words = f"{signs().down} {below + 1} more lines"  # the sign itself covers one
            heading = self._heading_below(round(self.scroll_y) + self.size.height - 1)
            self._more.update(f"{words}: {heading}" if heading else words)

    def _heading_below(self, row: int) -> str:
        """The first line at or below a row that is a heading: bold as a whole."""
        assert self._shown is not None
        width, at = max(1, self._text.size.width), 0
        for line in self._shown.split("\n", allow_blank=True):
            if at >= row and line.plain and _is_bold(line):
                return line.plain
            at += max(1, -(-cell_len(line.plain) // width))
        return ""


def _is_bold(line: Text) -> bool:
    spans = [*((span.style, span.start, span.end) for span in line.spans), (line.style, 0, len(line))]
    return any(style == "bold" and (start, end) == (0, len(line)) for style, start, end in spans)
