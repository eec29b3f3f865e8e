"""How a run in this process is shown: as progress bars, as plain lines, or as JSON."""

from auditor.cli.display.base import Display, choose_display

__all__ = ["Display", "choose_display"]
