"""The picture of the distances in one sub-run: who lies apart, how far, and from where on that counts.

Every provider has a line, on which its distances to its reference stand on a logarithmic axis: points where there are
few, bars where there are many. Above them are the distances among the reference itself. Marks show the numerical noise
and where a provider is flagged. All faces show this picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from auditor.audit.record.findings import RecordedJudgement
from auditor.audit.record.state import AuditState
from auditor.base.hostile_text import cleaned
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.standing import Figures, Standing, standings
from auditor.report.log_axis import LogAxis, labelled
from auditor.report.number_text import p_text, ratio_text
from auditor.report.timeline import judged
from auditor.report.verdict_signs import ASCII_SIGNS, SIGNS

FEW = 40
"""Up to so many distances are drawn as points."""
FIGURES = 20
"""Columns for a provider's ratio and p-value."""


@dataclass(frozen=True)
class Marks:
    """The characters of the picture.

    Attributes:
        signs: of what a judgement says.
        own: a distance of a provider to its reference.
        among: a distance within the reference.
        levels: bars, from the lowest to the highest.
        noise: where the numerical noise is.
        flag: where a provider is flagged.
        rule: the axis.
        tick: a number on it.
        up: points from a label to its place above.
    """

    signs: dict[str, str]
    own: str
    among: str
    levels: str
    noise: str
    flag: str
    rule: str
    tick: str
    up: str


UNICODE_MARKS = Marks(SIGNS | {"undecided": "?"}, "●", "○", "▁▂▃▄▅▆▇█", "┊", "┃", "─", "┬", "└")
ASCII_MARKS = Marks(ASCII_SIGNS | {"undecided": "?"}, "*", "o", ".:-=+*%#", ":", "|", "-", "+", "^")


def marks_for(encoding: str | None) -> Marks:
    """The characters that a stream can write."""
    return UNICODE_MARKS if (encoding or "").lower().replace("-", "") == "utf8" else ASCII_MARKS


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Attributes:
        matrix: the distances.
        judgements: what the decision says of each provider, as far as it does.
        standings: who is compared with whom; empty where nobody can be.
        shown: the provider that the words below the picture are about.
    """

    matrix: DistanceMatrix
    judgements: dict[str, RecordedJudgement]
    standings: tuple[Standing, ...]
    shown: str

    def kind(self, provider: str) -> str:
        """What the judgement by itself says of a provider: `consistent`, `flagged` or `undecided`."""
        judgement = self.judgements.get(provider)
        return "undecided" if judgement is None else judged(judgement)


def picture(
    matrix: DistanceMatrix,
    judgements: Sequence[RecordedJudgement],
    assumptions: Assumptions,
    shown: str | None = None,
) -> Picture:
    """The picture of a matrix.

    Args:
        matrix: the distances.
        judgements: of its sub-run, those under other metrics among them.
        assumptions: what the audit takes for granted.
        shown: the provider to speak of; without one, that which lies furthest off.
    """
    own = {one.provider: one for one in judgements if one.metric == matrix.metric}
    figures = {name: Figures(one.ratio, one.p_value, one.threshold) for name, one in own.items()}
    decided = [one for one in own.values() if one.p_value is not None and one.provider in matrix.providers]
    worst = min(decided, key=lambda one: (not one.deviates, one.p_value), default=None)
    if shown not in matrix.providers:
        shown = worst.provider if worst is not None else matrix.providers[0]
    return Picture(matrix, own, tuple(standings(matrix, figures, assumptions)), shown or matrix.providers[0])


def strongest(state: AuditState) -> DistanceMatrix | None:
    """The distances with the strongest evidence against somebody; without evidence, the latest. None without any."""
    matrices = state.matrices()
    if not matrices:
        return None
    found = {
        (index, one.metric): (not one.deviates, one.p_value)
        for index, sub_run in state.sub_runs.items()
        for one in sorted(sub_run.judgements or (), key=lambda one: -(one.p_value or 0.0))
        if one.p_value is not None
    }
    judged_ones = [matrix for matrix in matrices if (matrix.sub_run, matrix.metric) in found]
    if not judged_ones:
        return matrices[-1]
    return min(judged_ones, key=lambda matrix: found[matrix.sub_run, matrix.metric])


def picture_of(state: AuditState, assumptions: Assumptions) -> Picture | None:
    """The picture of the strongest evidence of a run; None where nothing was measured."""
    matrix = strongest(state)
    if matrix is None:
        return None
    return picture(matrix, state.sub_run(matrix.sub_run).judgements or (), assumptions)


def histogram_lines(drawn: Picture, width: int, height: int | None = None, marks: Marks = UNICODE_MARKS) -> list[Text]:
    """The picture as text in so many columns; styles have the names `verdict.…` and `distance.…`.

    Args:
        drawn: what to draw.
        width: columns.
        height: lines to stay within, as far as that is possible; None for any number.
        marks: the characters.
    """
    return _Drawing(drawn, max(30, width), height, marks).lines()


@dataclass(frozen=True)
class _Row:
    name: str
    sign: str
    style: str
    distances: tuple[float, ...]
    flagged_from: float | None
    figures: str
    bars: bool


class _Drawing:
    """One picture in one width."""

    def __init__(self, drawn: Picture, width: int, height: int | None, marks: Marks) -> None:
        self._drawn = drawn
        self._marks = marks
        self._width = width
        count = len(drawn.matrix.providers)
        self._many = count * (count - 1) / 2 > FEW
        self._folds = self._many or (height is not None and count + 11 > height)
        self._subject = next((one for one in drawn.standings if one.provider == drawn.shown), None)
        reference = self._reference()
        self._rows = [*([reference] if reference.distances else []), *self._providers()]
        self._names = min(max(Text(row.name).cell_len for row in self._rows), max(8, width // 4), 24)
        self._figures = FIGURES if width >= 50 else 0
        floor = drawn.matrix.noise_floor
        values = [value for row in self._rows for value in row.distances]
        values += [row.flagged_from for row in self._rows if row.flagged_from is not None]
        values += [floor] if floor is not None else []
        self._axis = LogAxis.over(values, width - self._margin - self._figures - 1)

    @property
    def _margin(self) -> int:
        return 2 + self._names + 1

    def lines(self) -> list[Text]:
        """Everything, from the heading to the words."""
        marks, pad = self._marks, " " * self._margin
        axis, numbers = self._axis.lines(marks.rule, marks.tick)
        lines = [Text(self._heading(), style="bold"), self._words()]
        for row in self._rows:
            lines += self._drawn_row(row)
        lines += [Text(pad + axis, no_wrap=True), Text(pad + numbers, no_wrap=True)]
        lines += labelled(self._labels(), self._margin, self._width)
        return lines

    def _heading(self) -> str:
        matrix = self._drawn.matrix
        what = "bars count them" if self._many else f"{self._marks.own} is one"
        where = f"Distances in sub-run {matrix.sub_run} ({cleaned(matrix.metric, 40)})"
        return f"{where}, farther to the right; {what}" if self._width >= 70 else where

    def _reference(self) -> _Row:
        """The distances among the reference of whom the words are about; without one, among all others."""
        matrix, shown = self._drawn.matrix, self._drawn.shown
        if self._subject is not None:
            among = self._subject.among
        else:
            others = [index for index, name in enumerate(matrix.providers) if name != shown]
            among = tuple(float(matrix.values[i, j]) for i in others for j in others if j < i)
        return _Row("reference" if self._subject else "the others", " ", "distance.reference", among, None,
                    "among themselves", self._many)  # fmt: skip

    def _providers(self) -> list[_Row]:
        rows, folded = [], []
        by_name = {one.provider: one for one in self._drawn.standings}
        for index, name in enumerate(self._drawn.matrix.providers):
            standing = by_name.get(name)
            to = standing.to if standing else tuple(
                float(value) for other, value in enumerate(self._drawn.matrix.values[index]) if other != index
            )  # fmt: skip
            kind = self._drawn.kind(name)
            if self._folds and kind == "consistent" and name != self._drawn.shown:
                folded.append(to)
                continue
            style = "verdict.flagged" if kind == "flagged" else "verdict.consistent" if kind == "consistent" else ""
            beyond = standing.flagged_from if standing else None
            rows.append(_Row(cleaned(name, 40), self._marks.signs[kind], style, to, beyond, self._said(name), False))
        if folded:
            distances = tuple(value for to in folded for value in to)
            sign = self._marks.signs["consistent"]
            name = f"{len(folded)} more" if rows else f"all {len(folded)}"
            rows.insert(0, _Row(name, sign, "verdict.consistent", distances, None, "consistent", self._many))
        return rows

    def _said(self, name: str) -> str:
        judgement = self._drawn.judgements.get(name)
        if judgement is None:
            return "not judged yet"
        if judgement.p_value is None or judgement.ratio is None:
            return "no ratio"
        return f"{ratio_text(judgement.ratio)}× p {p_text(judgement.p_value)}"

    def _drawn_row(self, row: _Row) -> list[Text]:
        """A line; bars that stand for many have two."""
        bars = self._bars(row) if row.bars else [self._points(row)]
        lines = []
        for number, cells in enumerate(bars):
            last = number == len(bars) - 1
            name = Text(row.name if last else "", style=row.style)
            name.truncate(self._names, overflow="ellipsis", pad=True)
            line = Text.assemble((f"{row.sign if last else ' '} ", row.style), name, " ", no_wrap=True)
            line.append_text(cells)
            if last and self._figures:
                line.append(f" {row.figures}", style=row.style if row.style == "verdict.flagged" else "")
            lines.append(line)
        return lines

    def _ground(self, row: _Row) -> list[tuple[str, str]]:
        """The columns of a row with the marks that the distances are drawn over."""
        cells = [(" ", "")] * self._axis.width
        floor = self._drawn.matrix.noise_floor
        if floor:
            cells[self._axis.column(floor)] = (self._marks.noise, "dim")
        if row.flagged_from is not None:
            cells[self._axis.column(row.flagged_from)] = (self._marks.flag, "verdict.inconclusive")
        return cells

    def _points(self, row: _Row) -> Text:
        cells = self._ground(row)
        point = self._marks.among if row.style == "distance.reference" else self._marks.own
        for value in row.distances:
            if not np.isnan(value):
                cells[self._axis.column(value)] = (point, row.style or "bold")
        return Text.assemble(*cells)

    def _bars(self, row: _Row) -> list[Text]:
        counts = Counter(self._axis.column(value) for value in row.distances if not np.isnan(value))
        levels, height = self._marks.levels, 2
        most = max(counts.values(), default=1)
        lines = []
        for storey in reversed(range(height)):
            cells = self._ground(row)
            for column, count in counts.items():
                eighths = max(1, round(count / most * height * len(levels))) - storey * len(levels)
                if eighths > 0:
                    cells[column] = (levels[min(eighths, len(levels)) - 1], row.style)
            lines.append(Text.assemble(*cells))
        return lines

    def _labels(self) -> list[tuple[int, str, str, str]]:
        """The marks below the axis, from the left."""
        floor, marks = self._drawn.matrix.noise_floor, self._marks
        found: list[tuple[int, str, str, str]] = []
        if floor is not None:
            found.append((self._axis.column(floor), marks.up, f"noise floor {floor:.3g}, {marks.noise}", "dim"))
        if self._subject is not None and self._subject.among:
            middle = float(np.median(self._subject.among))
            label = f"reference {middle:.3g} ({marks.among}, median)"
            found.append((self._axis.column(middle), marks.up, label, "distance.reference"))
        if self._subject is not None and (beyond := self._subject.flagged_from) is not None:
            label = f"flagged from {beyond:.3g} on ({marks.flag}, median)"
            found.append((self._axis.column(beyond), marks.up, label, "verdict.inconclusive"))
        return sorted(found, key=lambda mark: mark[0])

    def _words(self) -> Text:
        """Who lies apart, and how sure that is."""
        name, kind = cleaned(self._drawn.shown, 40), self._drawn.kind(self._drawn.shown)
        judgement = self._drawn.judgements.get(self._drawn.shown)
        if judgement is None:
            return Text(f"{name} is not judged yet.")
        if judgement.p_value is None or judgement.ratio is None:
            return Text(cleaned(f"{name}: {judgement.note or 'this metric says nothing about it'}.", 300))
        p_value, sign = p_text(judgement.p_value), self._marks.signs[kind]
        times = ratio_text(judgement.ratio).replace("> ", "over ")
        below = "" if judgement.p_value < 1e-9 else "= "
        limit = "" if judgement.threshold is None else f"; flagged at p {judgement.threshold:.2g} or less"
        if kind == "flagged":
            return Text(
                f"{sign} {name} deviates: it lies {times} times as far off as is usual. "
                f"An honest provider does so with p {below}{p_value}{limit}.",
                style="verdict.flagged",
            )
        nobody = not any(self._drawn.kind(other) == "flagged" for other in self._drawn.matrix.providers)
        far = f"{times} times as far off as is usual (p {below}{p_value}{limit})."
        return Text(f"{sign} {'Nobody deviates here. ' if nobody else ''}{name} lies {far}")
