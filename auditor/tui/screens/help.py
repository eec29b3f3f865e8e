"""What the focused widget is for, and every key that does something now."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static


class HelpScreen(ModalScreen[None]):
    """Explains the screen below it.

    Args:
        explained: the screen that the person looks at.
    """

    HELP = "Help. Escape closes it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "app.pop_screen", "Close"),
    ]

    def __init__(self, explained: Screen[object]) -> None:
        super().__init__()
        self._lines = list(_lines(explained))

    def compose(self) -> ComposeResult:
        """The help, which scrolls."""
        with VerticalScroll(classes="dialog help"):
            yield Static(Text("\n").join(self._lines), markup=False)


def _lines(screen: Screen[object]) -> list[Text]:
    lines: list[Text] = []
    for node in screen.focused.ancestors_with_self if screen.focused is not None else (screen,):
        if own := getattr(node, "HELP", None):
            lines += [Text(own), Text()]
    for key, (_, binding, enabled, tooltip) in sorted(screen.active_bindings.items()):
        if not (enabled and binding.description):
            continue
        shown_key = screen.app.get_key_display(binding)
        explanation = tooltip or binding.tooltip
        description = f"{binding.description}: {explanation}" if explanation else binding.description
        lines.append(Text.assemble((f"{shown_key or key:>12}  ", "bold"), description))
    return [*lines, Text(), Text("Escape closes this help. ctrl+p finds every action by name.", style="dim")]
