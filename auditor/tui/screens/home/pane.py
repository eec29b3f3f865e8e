"""What the parts of the home screen have in common."""

from __future__ import annotations

from textual.containers import Vertical

from auditor.tui.store_app import StoreWidget


class HomePane(Vertical, StoreWidget):
    """A part of the home screen that survives what its workers raise."""

    def reload(self) -> None:
        """Read again what it shows; called when it comes to the front and by F5."""
        raise NotImplementedError
