"""Which display fits: JSON, progress bars or plain lines."""

from __future__ import annotations

import sys

from auditor.cli.display.base import Display


def choose_display(*, json: bool) -> Display:
    """JSON if asked for; progress bars on a terminal; plain lines elsewhere."""
    if json:
        from auditor.cli.display.json_lines import JsonLines

        return JsonLines()
    if sys.stderr.isatty():
        from auditor.cli.display.live import LiveDisplay

        return LiveDisplay()
    from auditor.cli.display.plain import PlainLines

    return PlainLines()
