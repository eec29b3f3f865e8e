"""Going to any pane by two keys, also from within a field."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static, TabbedContent
from textual.widgets.option_list import Option

from auditor.tui.widgets.panes import Panes

KEYS = "123456789abcdefghijklmnopqrstuvwxyz"
Place = tuple[str, str, Callable[[], object]]


def places(screen: Screen[Any]) -> list[Place]:
    """Where one can go on a screen: a key, a title, and what goes there."""
    found: list[tuple[str, Callable[[], object]]] = []
    for panes in screen.query(Panes):
        found += [(title, partial(panes.go_to, index)) for index, title in enumerate(panes.titles)]
    for tabs in screen.query(TabbedContent):
        for pane in tabs.query("TabPane"):
            title = str(tabs.get_tab(pane.id or "").label)[2:]
            found.append((title, partial(screen.run_action, f"tab('{pane.id}')")))
    for widget in screen.query("Input, Select, SelectionList, Button"):
        if widget.focusable and widget.id and widget.is_on_screen:
            found.append((widget.id.replace("-", " "), widget.focus))
    return [(key, title, go) for key, (title, go) in zip(KEYS, found, strict=False)]


class JumpScreen(ModalScreen[None]):
    """Lists the panes with a key each.

    Args:
        places: where one can go.
    """

    HELP = "Press the key of a pane to go there, or choose it. Escape stays."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+o", "dismiss", "Stay")]

    def __init__(self, places: list[Place]) -> None:
        super().__init__()
        self._places = places

    def compose(self) -> ComposeResult:
        """The list."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static("Jump to (Escape stays)", markup=False)
            yield OptionList(
                *(Option(Text.assemble((key, "bold"), f"  {title}"), id=key) for key, title, _ in self._places),
                compact=True,
            )

    def on_key(self, event: events.Key) -> None:
        """Go where the key leads."""
        if any(event.key == key for key, _, _ in self._places):
            event.stop()
            self._go(event.key)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to what was chosen."""
        self._go(event.option.id or "")

    def _go(self, chosen: str) -> None:
        self.dismiss()
        for key, _, go in self._places:
            if key == chosen:
                self.app.call_later(go)
