"""What happened, line by line, to be searched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from auditor.tui.safe_text import safe_text
from auditor.tui.widgets.log_lines import LogLines

if TYPE_CHECKING:
    from auditor.tui.run_follower import LogLine

PLACEHOLDER = "search the log (/)"


class SearchInput(Input):
    """What is looked for; Enter goes to the lines, Escape empties it as well."""

    HELP = "Lines that hold the typed words are marked. Enter goes to them, and n and N from one to the next."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "next", "Next hit", show=False),
        Binding("up", "previous", "Previous hit", show=False),
        Binding("escape", "leave", "No search", show=True),
    ]

    @property
    def _lines(self) -> LogLines:
        return self.screen.query_one(LogLines)

    def action_next(self) -> None:
        """Go to the next hit."""
        self._lines.action_find(1)

    def action_previous(self) -> None:
        """Go to the hit before."""
        self._lines.action_find(-1)

    def action_leave(self) -> None:
        """Look for nothing any more."""
        self.value = ""
        self._lines.focus()


class EventLog(Vertical):
    """Lines and a search over them."""

    DEFAULT_CSS = """
    EventLog { height: 1fr; }
    EventLog > LogLines { height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._lines: tuple[LogLine, ...] = ()
        self._only: str | None = None

    def compose(self) -> Iterable[Widget]:
        """The search and the lines."""
        yield SearchInput(placeholder=PLACEHOLDER, compact=True)
        yield LogLines()

    def show(self, lines: tuple[LogLine, ...]) -> None:
        """Show all lines; what is new is added at the end."""
        known, self._lines = len(self._lines), lines
        self._add(lines[known:])

    def filter(self, provider: str | None) -> None:
        """Show only lines that name a provider; None shows all."""
        self._only = provider
        self.query_one(LogLines).clear()
        self._add(self._lines)

    def _add(self, lines: Iterable[LogLine]) -> None:
        from auditor.report.number_text import clock_text

        self.query_one(LogLines).add(
            [
                Text.assemble(
                    (clock_text(line.time), "dim"),
                    " ",
                    (safe_text(line.words).plain, "bold" if line.is_failure else ""),
                )
                for line in lines
                if self._only is None or self._only in line.words
            ]
        )

    def search(self) -> None:
        """Let the person type what to look for."""
        self.query_one(SearchInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Mark what matches."""
        event.stop()
        self.query_one(LogLines).look_for(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on among the lines."""
        event.stop()
        self.query_one(LogLines).focus()

    def on_log_lines_found(self, message: LogLines.Found) -> None:
        """Say how many there are."""
        searching = bool(self.query_one(SearchInput).value)
        self.border_subtitle = f"{message.present} of {message.hits}" if searching else ""
        if self.parent is not None:
            self.parent.border_subtitle = self.border_subtitle  # type: ignore[attr-defined]
