"""A logarithmic axis across some columns of text, with a place for zero, its numbers, and marks with labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text

LEAST_SPAN = math.log(4.0)
"""An axis covers a factor of 4 or more, so that what is equal but for rounding does not fill it."""
EDGE = 0.04
"""The share of the axis that stays free at either end."""


@dataclass(frozen=True)
class LogAxis:
    """Columns for distances.

    Attributes:
        low: the logarithm at the first column of the logarithmic part.
        high: likewise at the last.
        width: columns.
        zero: whether the first column stands for 0.
    """

    low: float
    high: float
    width: int
    zero: bool

    @classmethod
    def over(cls, values: Iterable[float], width: int) -> LogAxis:
        """An axis on which all these values have a place."""
        finite = [value for value in values if math.isfinite(value) and value >= 0]
        logs = [math.log(value) for value in finite if value > 0] or [0.0]
        low, high = min(logs), max(logs)
        missing = max(0.0, LEAST_SPAN - (high - low)) / 2
        low, high = low - missing, high + missing
        margin = EDGE * (high - low)
        return cls(low - margin, high + margin, max(8, width), any(value == 0 for value in finite))

    @property
    def start(self) -> int:
        """The first column of the logarithmic part; one is left free after that for 0."""
        return 2 if self.zero else 0

    def column(self, value: float) -> int:
        """Where a distance lies; what is beyond the axis at its end."""
        if value <= 0:
            return 0
        if math.isinf(value):
            return self.width - 1
        share = (math.log(value) - self.low) / (self.high - self.low)
        return min(self.width - 1, max(self.start, self.start + round(share * (self.width - 1 - self.start))))

    def ticks(self) -> list[float]:
        """Round numbers on the axis: powers of ten, with 2 and 5 between where there are few."""
        first, last = math.floor(self.low / math.log(10)), math.ceil(self.high / math.log(10))
        step = max(1, (last - first) // 8)
        powers = [10.0**power for power in range(first, last + 1, step) if -300 < power < 300]
        inside = [value for value in powers if self._holds(value)]
        if len(inside) < 3:
            inside = [value for power in powers for value in (power, 2 * power, 5 * power) if self._holds(value)]
        return inside

    def _holds(self, value: float) -> bool:
        return self.low <= math.log(value) <= self.high

    def lines(self, rule: str, tick: str) -> tuple[str, str]:
        """The axis, and the numbers beneath it; a number that has no room is left out."""
        line, numbers, free = [rule] * self.width, [" "] * self.width, 0
        if self.zero:
            line[0], line[1], numbers[0], free = tick, " ", "0", 2
        for value in self.ticks():
            column, text = self.column(value), f"{value:g}"
            line[column] = tick
            begin = max(0, column - len(text) // 2)
            if begin >= free and begin + len(text) <= len(numbers):
                numbers[begin : begin + len(text)] = text
                free = begin + len(text) + 1
        return "".join(line), "".join(numbers).rstrip()


def labelled(marks: Sequence[tuple[int, str, str, str]], margin: int, width: int) -> list[Text]:
    """A line for each mark: its sign under its column, and its label beside it where there is more room.

    Args:
        marks: of each its column on the axis, sign, label and style, the left-most first.
        margin: columns before the axis.
        width: of the lines.
    """
    lines = []
    for column, sign, label, style in marks:
        at = margin + column
        right = at + 2 + len(label) <= width or at < len(label) + 1
        begin, words = (at, f"{sign} {label}") if right else (at - len(label) - 1, f"{label} {sign}")
        line = Text.assemble(" " * begin, (words, style), no_wrap=True)
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return lines
