"""What happened, line by line, to be searched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Input, RichLog

from auditor.tui.safe_text import safe_text

if TYPE_CHECKING:
    from auditor.tui.run_follower import LogLine


class LogLines(RichLog):
    """The lines."""

    HELP = "What happened, latest last. / searches."


class SearchInput(Input):
    """What is looked for; Escape empties it and goes back to the lines."""

    HELP = "Only lines that contain the typed text are shown. Escape shows all again."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Show all", show=True)]

    def action_leave(self) -> None:
        """Show all lines again."""
        self.value = ""
        self.screen.focus_next()


class EventLog(Vertical):
    """Lines and a search over them."""

    DEFAULT_CSS = """
    EventLog { height: 1fr; }
    EventLog > RichLog { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._lines: tuple[LogLine, ...] = ()
        self._width = 0

    def compose(self) -> Iterable[Widget]:
        """The search and the lines."""
        yield SearchInput(placeholder="search the log (/)", compact=True)
        yield LogLines(wrap=True, markup=False, highlight=False, max_lines=5000, min_width=20)

    def show(self, lines: tuple[LogLine, ...]) -> None:
        """Show all lines; what is new is added at the end."""
        known = len(self._lines)
        self._lines = lines
        self._write(lines[known:])

    def on_resize(self, event: Resize) -> None:
        """Wrap all lines anew: they were wrapped for another width, or while nothing was to be seen of them."""
        if event.size.width not in (0, self._width):
            self._width = event.size.width
            self.query_one(LogLines).clear()
            self._write(self._lines)

    def search(self) -> None:
        """Let the person type what to look for."""
        self.query_one(SearchInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what matches."""
        event.stop()
        self.query_one(LogLines).clear()
        self._write(self._lines)

    def _write(self, lines: tuple[LogLine, ...]) -> None:
        if self._width == 0:
            return  # nothing is to be seen; all lines are written when something is
        log, looked_for = self.query_one(LogLines), self.query_one(SearchInput).value.casefold()
        for line in lines:
            words = safe_text(line.words)
            if looked_for in words.plain.casefold():
                log.write(
                    Text.assemble((line.time[11:19], "dim"), " ", (words.plain, "bold" if line.is_failure else ""))
                )
