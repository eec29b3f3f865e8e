"""The progress of long work: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from auditor.cli.narration import say
from auditor.experiments.progress import Progress
from auditor.report.number_text import seconds_text
from auditor.report.terminal_report import PICTURE_STYLES

Outcome = TypeVar("Outcome")

Picture = Callable[[Console], RenderableType]
"""Draws what was found so far for a console."""

PICTURE_SECONDS = 1.0
"""How often the picture is drawn."""

LINE_SECONDS = 30.0
"""How often a line is written where there is no terminal."""


def shown(running: Generator[Progress, None, Outcome], picture: Picture | None = None) -> Outcome:
    """Carry work out, showing how far it is; returns what it returns.

    Args:
        running: the work.
        picture: what was found so far, drawn anew every second on a terminal.

    Raises:
        Exception: whatever the work raises.
    """
    with WorkDisplay(picture) as display:
        while True:
            try:
                display.show(next(running))
            except StopIteration as ended:
                found: Outcome = ended.value
                return found


class _Bars(Bars):
    """Bars with a picture over them."""

    picture: Picture | None = None
    _drawn: RenderableType | None = None
    _drawn_at = -math.inf

    def get_renderables(self) -> Iterable[RenderableType]:
        """The picture, then the bars."""
        if self.picture is not None and self.tasks:
            if (now := time.monotonic()) - self._drawn_at >= PICTURE_SECONDS:
                self._drawn, self._drawn_at = self.picture(self.console), now
            yield self._drawn or ""
        yield from super().get_renderables()


class WorkDisplay:
    """Shows the stages of long work one after another, with the time that each has left.

    Args:
        picture: what was found so far.
    """

    def __init__(self, picture: Picture | None = None) -> None:
        self._bars = _Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True, theme=PICTURE_STYLES),
            expand=True,
        )
        self._bars.picture = picture
        self._live = sys.stderr.isatty()
        self._stage = ""
        self._task: TaskID | None = None
        self._begun = self._written = 0.0

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if progress.stage != self._stage:
            self._stage, self._begun, self._written = progress.stage, now, 0.0
            self._task = self._bars.add_task(progress.stage, total=progress.total, unit=progress.unit)
        if self._live and self._task is not None:
            self._bars.update(self._task, completed=progress.done)
        elif now - self._written > LINE_SECONDS or progress.done == progress.total:
            self._written = now
            say(f"{progress.stage}: {progress.done:,} of {progress.total:,} {progress.unit}{self._left(progress, now)}")

    def _left(self, progress: Progress, now: float) -> str:
        if not 0 < progress.done < progress.total:
            return ""
        left = (now - self._begun) / progress.done * (progress.total - progress.done)
        return f", about {seconds_text(left)} left"
