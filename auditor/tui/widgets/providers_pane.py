"""Providers."""

from __future__ import annotations

from auditor.tui.widgets.home_pane import HomePane


class ProvidersPane(HomePane):
    """Providers."""

    def reload(self) -> None:
        """Nothing yet."""
