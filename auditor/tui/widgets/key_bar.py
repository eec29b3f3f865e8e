"""The keys at the bottom: those that everybody needs come first, so that a narrow terminal shows them."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey

FIRST = ("Quit", "Help", "Search", "Back")


class KeyBar(Footer):
    """The keys that do something now. While a field takes text, letters are left out, for they are typed."""

    def compose(self) -> ComposeResult:
        """The keys in their order, and the palette at the right."""
        if not self._bindings_ready:
            return
        focused = self.screen.focused
        typing = isinstance(focused, Input) or (isinstance(focused, TextArea) and not focused.read_only)
        shown: dict[str, tuple[Binding, bool, str]] = {}
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            letter = len(binding.key) == 1 or binding.key in ("slash",)
            if binding.show and not (typing and letter):
                shown.setdefault(binding.action, (binding, enabled, tooltip))
        keys = sorted(shown.values(), key=lambda one: self._place(one[0].description))
        self.styles.grid_size_columns = len(keys)
        for binding, enabled, tooltip in keys:
            yield FooterKey(
                binding.key,
                self.app.get_key_display(binding),
                binding.description,
                binding.action,
                disabled=not enabled,
                tooltip=tooltip or binding.tooltip,
            ).data_bind(compact=Footer.compact)
        palette = self.screen.active_bindings.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is not None:
            _, binding, enabled, _ = palette
            yield FooterKey(
                binding.key,
                self.app.get_key_display(binding),
                "All",
                binding.action,
                classes="-command-palette",
                disabled=not enabled,
                tooltip="Every action by name",
            )

    @staticmethod
    def _place(description: str) -> int:
        return FIRST.index(description) if description in FIRST else len(FIRST)
