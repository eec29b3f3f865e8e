"""Plugins."""

from __future__ import annotations

from auditor.tui.widgets.home_pane import HomePane


class PluginsPane(HomePane):
    """Plugins."""

    def reload(self) -> None:
        """Nothing yet."""
