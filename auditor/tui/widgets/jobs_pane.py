"""Jobs."""

from __future__ import annotations

from auditor.tui.widgets.home_pane import HomePane


class JobsPane(HomePane):
    """Jobs."""

    def reload(self) -> None:
        """Nothing yet."""
