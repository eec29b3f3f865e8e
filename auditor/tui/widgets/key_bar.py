"""The keys at the bottom: those that everybody needs come first, so that a narrow terminal shows them."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey

FIRST = ("Quit", "Help", "Search", "Back")


@dataclass(frozen=True)
class _Key:
    """What the bar shows of one key."""

    key: str
    display: str
    description: str
    action: str
    tooltip: str
    enabled: bool
    palette: bool = False


class KeyBar(Footer):
    """The keys that do something now. While a field takes text, letters are left out, for they are typed."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[_Key] | None = None

    async def recompose(self) -> None:
        """Make the keys anew if they are not those that are shown: each is a widget, and every change of focus asks."""
        if self._keys() != self._shown:
            await super().recompose()

    def compose(self) -> ComposeResult:
        """The keys in their order, and the palette at the right."""
        if not self._bindings_ready:
            return
        self._shown = self._keys()
        self.styles.grid_size_columns = sum(not one.palette for one in self._shown)
        for one in self._shown:
            key = FooterKey(
                one.key,
                one.display,
                one.description,
                one.action,
                disabled=not one.enabled,
                tooltip=one.tooltip,
                classes="-command-palette" if one.palette else "",
            )
            if not one.palette:
                key.set_reactive(FooterKey.compact, False)
            yield key

    def _keys(self) -> list[_Key]:
        """What is to be shown now."""
        focused = self.screen.focused
        typing = isinstance(focused, Input) or (isinstance(focused, TextArea) and not focused.read_only)
        found: dict[str, _Key] = {}
        active = self.screen.active_bindings
        for _, binding, enabled, tooltip in active.values():
            letter = len(binding.key) == 1 or binding.key in ("slash",)
            if binding.show and not (typing and letter):
                found.setdefault(binding.action, self._key(binding, enabled, tooltip or binding.tooltip))
        keys = sorted(found.values(), key=lambda one: self._place(one.description))
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is None:
            return keys
        _, binding, enabled, _ = palette
        display = self.app.get_key_display(binding)
        return [*keys, _Key(binding.key, display, "All", binding.action, "Every action by name", enabled, palette=True)]

    def _key(self, binding: Binding, enabled: bool, tooltip: str) -> _Key:
        display = self.app.get_key_display(binding)
        return _Key(binding.key, display, binding.description, binding.action, tooltip, enabled)

    @staticmethod
    def _place(description: str) -> int:
        return FIRST.index(description) if description in FIRST else len(FIRST)
