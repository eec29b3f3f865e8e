"""How long work in this process is shown: as progress bars, as plain lines, or as JSON.

What belongs here: what is drawn or written while a command runs, and tables too large for the command's own file. It
imports `report` and what stands lower; the commands in `cli` import it.
"""

from auditor.cli.display.base import Display
from auditor.cli.display.choice import choose_display

__all__ = ["Display", "choose_display"]
