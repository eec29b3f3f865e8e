"""Signs that stand beside colours, so that nothing depends on colour alone; plain ASCII where needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from auditor.report.verdict_signs import ASCII_SIGNS, SIGNS


@dataclass(frozen=True)
class Signs:
    """One set of signs.

    Attributes:
        cells: for what a provider did in a sub-run, see `auditor.report.timeline.Cell`.
        verdicts: for verdicts, outcomes and the states of runs and providers.
        shades: for a heat map, from the smallest to the largest.
        levels: for a sparkline, likewise.
        filled: the part of a progress bar that is done.
        empty: the part that is not.
        down: marks the column that a table is sorted by, largest first.
        up: likewise, smallest first.
        in_view: the part of a line that stands for what is in view.
        out_of_view: the rest of it.
    """

    cells: Mapping[str, str]
    verdicts: Mapping[str, str]
    shades: str
    levels: str
    filled: str
    empty: str
    down: str
    up: str
    in_view: str
    out_of_view: str


UNICODE = Signs(
    cells={
        "waiting": "·",
        "training": "▸",
        "committed": "●",
        "skipped": "–",
        "drawn": "○",
        "replicating": "◐",
        "returned": "◆",
        "consistent": "✓",
        "flagged": "✗",
        "undecided": "?",
        "failed": "!",
    },
    verdicts={
        **SIGNS,
        "clean": SIGNS["consistent"],
        "reachable": SIGNS["consistent"],
        "unknown": SIGNS["inconclusive"],
        "testing": SIGNS["unreachable"],
        "busy": "▸",
        "running": "▸",
        "starting": "▸",
        "reading…": "·",
        "stopped": "‖",
        "pending": "·",
    },
    shades=" ░▒▓█",
    levels="▁▂▃▄▅▆▇█",
    filled="█",
    empty="░",
    down="▼",
    up="▲",
    in_view="━",
    out_of_view="─",
)

ASCII = Signs(
    cells={
        "waiting": ".",
        "training": ">",
        "committed": "o",
        "skipped": "-",
        "drawn": "d",
        "replicating": "r",
        "returned": "R",
        "consistent": "+",
        "flagged": "x",
        "undecided": "?",
        "failed": "!",
    },
    verdicts={
        **ASCII_SIGNS,
        "clean": ASCII_SIGNS["consistent"],
        "reachable": ASCII_SIGNS["consistent"],
        "unknown": ASCII_SIGNS["inconclusive"],
        "testing": ASCII_SIGNS["unreachable"],
        "busy": ">",
        "running": ">",
        "starting": ">",
        "reading…": ".",
        "stopped": "=",
        "pending": ".",
    },
    shades=" .:o#",
    levels="_.-~=+*#",
    filled="#",
    empty=".",
    down="v",
    up="^",
    in_view="=",
    out_of_view="-",
)

EXPLANATIONS = {
    "waiting": "not started",
    "training": "training",
    "committed": "committed",
    "skipped": "not replicated",
    "drawn": "drawn, waiting for a provider",
    "replicating": "being replicated",
    "returned": "returned, not judged yet",
    "consistent": "consistent",
    "flagged": "flagged",
    "undecided": "undecided",
    "failed": "failed",
}
"""What each cell of a timeline means, in words."""


def choose_signs(encoding: str | None, terminal: str) -> Signs:
    """The signs that a terminal can show; the Linux console and its like have few glyphs."""
    unicode = (encoding or "").lower().replace("-", "") == "utf8"
    return UNICODE if unicode and terminal not in ("linux", "dumb", "vt100", "vt220") else ASCII


@cache
def signs() -> Signs:
    """The signs for this process's terminal; Textual draws on stderr."""
    stream = sys.__stderr__
    return choose_signs(None if stream is None else stream.encoding, os.environ.get("TERM", ""))
