"""The picture of a model that keeps learning: accuracy and the success of attacks over the updates, beside γ.

All faces show this picture, of evolving jobs and of studies. Each curve has a sign of its own, so that colour alone
distinguishes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from auditor.audit.record.state import AuditState
from auditor.experiments.evolving.survival import survived as updates_survived
from auditor.job.evolution import Evolution
from auditor.report.histogram import UNICODE_MARKS, marks_for
from auditor.report.number_text import percent_text

LEFT = 6
"""Columns for the per cent."""
LEAST_HEIGHT = 5
LEAST_LEGEND = 3


@dataclass(frozen=True)
class SurvivalMarks:
    """The characters of the picture: of accuracy, of what there would be without updates, of attacks, of γ and lines.

    Attributes:
        accuracy: the model of an update.
        unchanged: that of update 0 on the same data.
        attacks: one after another; begun anew where there are more attacks.
        gamma: the line.
        between: joins the marks of a curve.
        rule: the axis below.
        corner: where the axes meet.
        side: the axis at the left.
    """

    accuracy: str
    unchanged: str
    attacks: str
    gamma: str
    between: str
    rule: str
    corner: str
    side: str


UNICODE_SURVIVAL = SurvivalMarks("●", "○", "✗◆▲■▼◇△□", "┄", "·", "─", "└", "│")
ASCII_SURVIVAL = SurvivalMarks("o", "u", "xXWVTDAH", "=", ".", "-", "+", "|")


def survival_marks_for(encoding: str | None) -> SurvivalMarks:
    """The characters that a stream can write."""
    return UNICODE_SURVIVAL if marks_for(encoding) is UNICODE_MARKS else ASCII_SURVIVAL


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        name: what it is.
        sign: its mark.
        style: its colour.
        values: from 0 to 1, by the number of the update.
        acted: the updates in which an attack acted.
        said: what is said of it beside its latest value; None for how long a backdoor survived.
    """

    name: str
    sign: str
    style: str
    values: Mapping[int, float]
    acted: frozenset[int] = frozenset()
    said: str | None = None


@dataclass(frozen=True)
class SurvivalChart:
    """What a picture shows.

    Attributes:
        curves: the most important last, which is drawn over the others.
        gammas: the success from which on a backdoor counts as alive, a line each.
        updates: how many there will be.
        caption: what the values are.
    """

    curves: tuple[Curve, ...]
    gammas: tuple[float, ...]
    updates: int
    caption: str


def curves_of(state: AuditState, marks: SurvivalMarks = UNICODE_SURVIVAL) -> tuple[Curve, ...]:
    """The curves of an evolving job, the most important last, which is drawn over the others."""
    measured = [known.measured for _, known in sorted(state.updates.items()) if known.measured is not None]
    unchanged = {one.update: one.unchanged for one in measured if one.unchanged is not None}
    accuracy = {one.update: one.accuracy for one in measured if one.accuracy is not None}
    found = [
        Curve("accuracy without updates", marks.unchanged, "dim", unchanged),
        Curve("accuracy", marks.accuracy, "verdict.consistent", accuracy),
    ]
    attacks = dict.fromkeys((attack.provider, attack.attack) for one in measured for attack in one.attacks)
    for number, (provider, name) in enumerate(attacks):
        own = [
            (one.update, attack)
            for one in measured
            for attack in one.attacks
            if (attack.provider, attack.attack) == (provider, name)
        ]
        values = {update: attack.success for update, attack in own if attack.success is not None}
        acted = frozenset(update for update, attack in own if attack.acted)
        sign = marks.attacks[number % len(marks.attacks)]
        found.append(Curve(f"{name} by {provider}", sign, "verdict.flagged", values, acted))
    return tuple(curve for curve in found if curve.values)


def survived(curve: Curve, gamma: float) -> int | None:
    """For how many updates after the last poisoned one a backdoor stays alive; None where it never was.

    That is its γ-survivability (Permanence of Backdoors in Evolving Models, §4) as far as it was measured: the updates
    in a row, from the first after the poisoning, after which the success is over γ.
    """
    if not curve.acted:
        return None
    last = max(curve.acted)
    if curve.values.get(last, 0.0) <= gamma:
        return None
    return updates_survived(curve.values, last, gamma, horizon=len(curve.values))


def survival_lines(
    state: AuditState,
    evolution: Evolution,
    width: int,
    height: int,
    marks: SurvivalMarks = UNICODE_SURVIVAL,
) -> list[Text]:
    """The picture as lines of text; what it says without any measurement is that there is none.

    Args:
        state: of the whole job.
        evolution: how many updates it has, and from which success on a backdoor counts as alive.
        width: in columns.
        height: in lines, legend and all.
        marks: the characters.
    """
    caption = "on held-out samples after each update"
    chart = SurvivalChart(curves_of(state, marks), (evolution.gamma,), evolution.updates, caption)
    return chart_lines(chart, width, height, marks)


def chart_lines(chart: SurvivalChart, width: int, height: int, marks: SurvivalMarks = UNICODE_SURVIVAL) -> list[Text]:
    """A picture as lines of text; what it says without any measurement is that there is none.

    Where there are many curves, the legend leaves out those that are the least important.

    Args:
        chart: what it shows.
        width: in columns.
        height: in lines, legend and all.
        marks: the characters.
    """
    curves, gammas = chart.curves, chart.gammas
    if not curves:
        return [Text("No update has been measured yet.")]
    legend = _legend(chart, width, max(LEAST_LEGEND, height - LEAST_HEIGHT - 2))
    taken = sum(_height(line, width) for line in legend)
    rows = max(LEAST_HEIGHT, height - taken - 2)
    canvas = _Canvas(max(10, width - LEFT - 1), rows, chart.updates)
    for gamma in gammas:
        canvas.line(gamma, marks.gamma)
    for curve in curves:
        canvas.curve(curve, marks.between)
    levels = {canvas.row(gamma): gamma for gamma in gammas}
    lines = []
    for row, cells in enumerate(canvas.rows):
        share = 1 - row / (rows - 1)
        labelled = row in (0, rows - 1) or row in levels
        label = f"{100 * levels.get(row, share):.0f} %" if labelled else ""
        lines.append(Text.assemble(f"{label:>{LEFT - 1}} ", marks.side, *cells))
    lines.append(Text(" " * LEFT + marks.corner + marks.rule * canvas.width))
    lines.append(Text(" " * LEFT + " " + canvas.numbers()))
    return [*lines, *legend]


class _Canvas:
    """Cells with a character and a style each, over which curves are drawn."""

    def __init__(self, width: int, rows: int, updates: int) -> None:
        self.width = width
        self._count = rows
        self._updates = updates
        self.rows: list[list[tuple[str, str]]] = [[(" ", "")] * width for _ in range(rows)]

    def row(self, value: float) -> int:
        """The row of a value from 0 to 1; the first is 1."""
        return round((1 - min(1.0, max(0.0, value))) * (self._count - 1))

    def column(self, update: int) -> int:
        """The column of an update; the first and the last are a column away from the edges."""
        return 1 + round(update * (self.width - 3) / max(1, self._updates))

    def line(self, value: float, sign: str) -> None:
        """A level line."""
        self.rows[self.row(value)] = [(sign, "dim")] * self.width

    def curve(self, curve: Curve, between: str) -> None:
        """A curve: its sign at each update, joined by points where there is room."""
        points = sorted(curve.values.items())
        for (first, start), (second, end) in pairwise(points):
            left, right = self.column(first), self.column(second)
            for column in range(left + 1, right):
                part = (column - left) / (right - left)
                self._put(column, self.row(start + part * (end - start)), between, curve.style)
        for update, value in points:
            self._put(self.column(update), self.row(value), curve.sign, curve.style)

    def numbers(self) -> str:
        """The numbers of updates below the axis, as many as fit."""
        cells = [" "] * self.width
        free = 0
        for update in range(self._updates + 1):
            text, column = str(update), self.column(update)
            if column >= free and column + len(text) <= self.width:
                cells[column : column + len(text)] = text
                free = column + len(text) + 1
        return "".join(cells).rstrip()

    def _put(self, column: int, row: int, sign: str, style: str) -> None:
        self.rows[row][column] = (sign, style)


def _legend(chart: SurvivalChart, width: int, height: int) -> list[Text]:
    """What the line and the curves are, the most important first, in at most so many lines."""
    gammas = " and ".join(percent_text(gamma) for gamma in chart.gammas)
    are = "the line is" if len(chart.gammas) == 1 else "the lines are"
    lines = [Text(f"{chart.caption}; {are} γ = {gammas}", "dim")]
    left = height - _height(lines[0], width)
    for number, curve in enumerate(reversed(chart.curves)):
        said = _survival_words(curve, chart.gammas[0]) if curve.said is None else curve.said
        words = f" {curve.name}: {percent_text(curve.values[max(curve.values)])}{said}"
        line, more = Text.assemble((curve.sign, curve.style), words), len(chart.curves) - number
        left -= _height(line, width)
        if number > 0 and left < (1 if more > 1 else 0):
            lines.append(Text(f"and {more} more", "dim"))
            break
        lines.append(line)
    return lines


def _height(line: Text, width: int) -> int:
    return -(-len(line.plain) // max(1, width))


def _survival_words(curve: Curve, gamma: float) -> str:
    if not curve.acted:
        return ""
    acted = f"; acted in {', '.join(map(str, sorted(curve.acted)))}"
    last, latest = max(curve.acted), max(curve.values)
    count = survived(curve, gamma)
    if count is None:
        return f"{acted}, never over γ" if latest >= last else acted
    if last + count == latest:
        return f"{acted}, alive after {_updates(count)}"
    return f"{acted}, survived {_updates(count)}"


def _updates(count: int) -> str:
    return f"{count} update{'' if count == 1 else 's'}"
