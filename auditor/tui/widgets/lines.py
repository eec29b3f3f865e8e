"""Lines of text that scroll and can have the focus."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static


class Lines(VerticalScroll, can_focus=True):
    """Shows lines that someone else composed; the base of the panes that only tell something."""

    DEFAULT_CSS = """
    Lines { height: 1fr; }
    Lines > Static { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._text = Static(markup=False)
        self._shown = Text()

    def compose(self) -> Iterable[Static]:
        """The text."""
        yield self._text

    def write(self, lines: Iterable[Text]) -> None:
        """Replace what is shown; what is the same is not drawn again."""
        text = Text("\n").join(lines)
        if text != self._shown:
            self._shown = text
            self._text.update(text)

    def redraw(self) -> None:
        """Draw the same again, in the colours of another theme."""
        self._text.update(self._shown)
