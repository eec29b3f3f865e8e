"""The distances of one replicated sub-run: as a histogram, or all of them as a heat map."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from auditor.tui.safe_text import padded, safe_text, short
from auditor.tui.signs import signs
from auditor.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from auditor.audit.record.findings import RecordedJudgement
    from auditor.decisions import DistanceMatrix
    from auditor.tui.run_follower import Snapshot

REFERENCE_STYLE = "distance.reference"
JUDGED_STYLE = "distance.judged"


@dataclass(frozen=True)
class Selection:
    """Whose distances are shown.

    Attributes:
        matrix: of one metric in one sub-run.
        provider: who is compared with the others.
        judgement: what the decision says of it there, once it does.
    """

    matrix: DistanceMatrix
    provider: str
    judgement: RecordedJudgement | None

    @classmethod
    def of(cls, snapshot: Snapshot, matrix: DistanceMatrix, provider: str) -> Selection:
        """One provider in a matrix of a run, with the judgement on it."""
        judgements = snapshot.state.sub_run(matrix.sub_run).judgements or ()
        own = (
            judgement
            for judgement in judgements
            if judgement.provider == provider and judgement.metric == matrix.metric
        )
        return cls(matrix, provider, next(own, None))


class DistanceView(Lines):
    """Redraws a histogram or a heat map as distances arrive."""

    HELP = """Distances between the models that were returned for one replicated sub-run. The histogram separates the \
distances among the other providers from those of the selected provider. A provider that did what was asked lies where \
the others lie. Keys change the metric, the provider and the sub-run, and show all distances as a heat map."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._selection: Selection | None = None
        self._heat_map = False

    def show(self, selection: Selection | None) -> None:
        """Show these distances."""
        self._selection = selection
        self._draw()

    def toggle(self) -> None:
        """Show the other picture of the same distances."""
        self._heat_map = not self._heat_map
        self._draw()

    def on_resize(self) -> None:
        """Pictures fill their pane."""
        self._draw()

    def _draw(self) -> None:
        if self._selection is None:
            self.write([Text("No distances yet. They appear when all providers have returned a replicated sub-run.")])
        elif self._heat_map:
            self.write(heat_map_lines(self._selection, self.size.width - 2))
        else:
            self.write(histogram_lines(self._selection, self.size.width - 2, self.size.height))


def _heading(selection: Selection) -> list[Text]:
    from auditor.report.number_text import p_text, ratio_text
    from auditor.report.timeline import judged

    matrix = selection.matrix
    lines = [safe_text(f"sub-run {matrix.sub_run}, metric {matrix.metric}", 100, "bold")]
    judgement = selection.judgement
    name = short(selection.provider, 24)
    if judgement is None:
        return [*lines, Text(f"{name}: not judged yet")]
    if judgement.p_value is None:
        return [*lines, safe_text(f"{name}: {judgement.note or 'this metric says nothing about it'}", 300)]
    kind = judged(judgement)
    words = (
        f"{signs().cells[kind]} {name}: ratio {ratio_text(judgement.ratio)}, p {p_text(judgement.p_value)}; "
        f"flagged at p {p_text(judgement.threshold)} or less"
    )
    return [*lines, Text(words, style="bold" if kind == "flagged" else "")]


def histogram_lines(selection: Selection, width: int, height: int) -> list[Text]:
    """One bar a line; the reference's and the judged provider's distances differ by sign and colour."""
    from auditor.report.histogram import histogram

    lines = _heading(selection)
    lines.append(
        Text.assemble(
            (signs().reference * 2, REFERENCE_STYLE),
            " among the others  ",
            (signs().judged * 2, JUDGED_STYLE),
            f" from {short(selection.provider, 24)}",
        )
    )
    bars = histogram(selection.matrix, [selection.provider], bars=min(16, max(4, height - len(lines))))
    room = max(4, width - 26)
    scale = min(4.0, room / (max(bar.reference + bar.judged for bar in bars) or 1))
    for bar in bars:
        among = max(round(bar.reference * scale), int(bar.reference > 0))
        own = max(round(bar.judged * scale), int(bar.judged > 0))
        count = bar.reference + bar.judged
        lines.append(
            Text.assemble(
                f"{bar.low:8.3g} – {bar.high:<8.3g} ",
                (signs().reference * among, REFERENCE_STYLE),
                (signs().judged * own, JUDGED_STYLE),
                f" {count}" if count else "",
                no_wrap=True,
            )
        )
    return lines


def heat_map_lines(selection: Selection, width: int) -> Iterable[Text]:
    """The whole matrix; shades show sizes on a logarithmic scale, and numbers where they fit."""
    matrix = selection.matrix
    values = [[float(value) for value in row] for row in matrix.values]
    positive = [value for row in values for value in row if value > 0]
    low, high = (math.log(min(positive)), math.log(max(positive))) if positive else (0.0, 0.0)
    name_width = min(12, max(len(name) for name in matrix.providers))
    numbers = width - name_width >= 10 * len(values)
    yield from _heading(selection)
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
