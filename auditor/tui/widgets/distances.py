"""The distances of one replicated sub-run: as a histogram, or all of them as a heat map."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual import work
from textual.message import Message

from auditor.tui.safe_text import padded, safe_text
from auditor.tui.signs import UNICODE, signs
from auditor.tui.widgets.lines import READING, Lines

if TYPE_CHECKING:
    from auditor.audit.record.findings import RecordedJudgement
    from auditor.decisions import Assumptions, DistanceMatrix
    from auditor.report.histogram import Picture
    from auditor.tui.run_follower import Snapshot


@dataclass(frozen=True, eq=False)
class Selection:
    """Whose distances are shown.

    Attributes:
        matrix: of one metric in one sub-run.
        provider: who is compared with the others.
        judgements: what the decision says of everybody there, once it does.
        assumptions: what the audit takes for granted.
    """

    matrix: DistanceMatrix
    provider: str
    judgements: tuple[RecordedJudgement, ...]
    assumptions: Assumptions

    @classmethod
    def of(cls, snapshot: Snapshot, matrix: DistanceMatrix, provider: str) -> Selection:
        """One provider in a matrix of a run, with what was judged there."""
        from auditor.planning.choice import assumptions_of

        judgements = snapshot.state.sub_run(matrix.sub_run).judgements or ()
        return cls(matrix, provider, judgements, assumptions_of(snapshot.job))

    def is_same(self, other: Selection | None) -> bool:
        """Whether nothing has changed; states share what did not."""
        return (
            other is not None
            and self.matrix is other.matrix
            and self.provider == other.provider
            and self.judgements is other.judgements
        )

    def picture(self) -> Picture:
        """What there is to draw."""
        from auditor.report.histogram import picture

        return picture(self.matrix, self.judgements, self.assumptions, self.provider)


class DistanceView(Lines):
    """Redraws a picture of distances as they arrive."""

    HELP = """Distances between the models that were returned for one replicated sub-run, on a logarithmic axis. Each \
provider has a line: ● are its distances to the reference, the providers that agree best. ○ are the distances among \
the reference. ┊ is the numerical noise, where it is known. ┃ is where the provider of that line is flagged: it is if \
the median of its distances lies there or farther to the right. Where there are many distances, bars count them. \
Keys change the metric, the provider and the sub-run, and show all distances as a heat map."""

    class Made(Message):
        """A picture is ready."""

        def __init__(self, selection: Selection, picture: Picture) -> None:
            super().__init__()
            self.selection = selection
            self.picture = picture

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._selection: Selection | None = None
        self._picture: Picture | None = None
        self._heat_map = False
        self._told = False

    def show(self, selection: Selection | None) -> None:
        """Show these distances."""
        self._told = True
        if selection is not None and selection.is_same(self._selection):
            return
        self._selection = selection
        if selection is None:
            self._picture = None
            self._draw()
        else:
            self._make(selection)

    @work(thread=True, exclusive=True, group="picture", exit_on_error=False)
    def _make(self, selection: Selection) -> None:
        """In a thread: the first time the statistics take seconds to load."""
        self.post_message(self.Made(selection, selection.picture()))

    def on_distance_view_made(self, message: Made) -> None:
        """Show it, unless something else is to be shown by now."""
        if message.selection is self._selection:
            self._picture = message.picture
            self._draw()

    def toggle(self) -> None:
        """Show the other picture of the same distances."""
        self._heat_map = not self._heat_map
        self._draw()

    def on_resize(self) -> None:
        """Pictures fill their pane."""
        self._draw()

    def _draw(self) -> None:
        if not self._told:
            return  # nobody knows yet whether there are some
        if self._selection is None:
            self.write([Text("No distances yet. They appear when all providers have returned a replicated sub-run.")])
        elif self._heat_map:
            self.write(heat_map_lines(self._selection, self.size.width - 2))
        elif self._picture is None:
            self.write([Text(READING)])
        else:
            from auditor.report.histogram import ASCII_MARKS, UNICODE_MARKS, histogram_lines

            marks = UNICODE_MARKS if signs() is UNICODE else ASCII_MARKS
            self.write(histogram_lines(self._picture, self.size.width - 2, self.size.height, marks))


def heat_map_lines(selection: Selection, width: int) -> Iterable[Text]:
    """The whole matrix; shades show sizes on a logarithmic scale, and numbers where they fit."""
    matrix = selection.matrix
    values = [[float(value) for value in row] for row in matrix.values]
    positive = [value for row in values for value in row if value > 0]
    low, high = (math.log(min(positive)), math.log(max(positive))) if positive else (0.0, 0.0)
    name_width = min(12, max(len(name) for name in matrix.providers))
    numbers = width - name_width >= 10 * len(values)
    yield safe_text(f"Distances in sub-run {matrix.sub_run}, metric {matrix.metric}", 100, "bold")
    column = 10 if numbers else 3
    heads = (padded(name, column - 1) + " " for name in matrix.providers)
    yield Text(" " * (name_width + 1) + "".join(heads), style="dim", no_wrap=True)
    for name, row in zip(matrix.providers, values, strict=True):
        line = Text(padded(name, name_width) + " ", style="bold" if name == selection.provider else "", no_wrap=True)
        for value in row:
            share = 0.0 if value <= 0 else 1.0 if high <= low else (math.log(value) - low) / (high - low)
            shade = signs().shades[0 if value <= 0 else 1 + round(share * (len(signs().shades) - 2))] * 2
            line.append(shade + (f" {value:<7.2g}" if numbers else " "), style=_heat(share) if value > 0 else "dim")
        yield line
    yield Text(f"{signs().shades[1]} {math.exp(low):.2g} to {signs().shades[-1]} {math.exp(high):.2g}", style="dim")


def _heat(share: float) -> str:
    return f"heat.{min(3, int(share * 4))}"
