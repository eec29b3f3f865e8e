"""All sub-runs in one line: where on a timeline flags are, wherever it is scrolled to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.report.timeline import Cell

SHOWN: tuple[Cell, ...] = ("flagged", "failed", "undecided")
"""The cells that have their sign in the line, the strongest first."""


def strongest(rows: Sequence[Sequence[Cell]], width: int) -> list[Cell | None]:
    """For each column of a line what stands out most in the sub-runs behind it; None where nothing does.

    Args:
        rows: the cells of each provider, as many for each.
        width: of the line; at most so many columns as there are sub-runs are used.
    """
    sub_runs = len(rows[0]) if rows else 0
    columns = min(width, sub_runs)
    found: list[Cell | None] = []
    for column in range(columns):
        begin, end = first_of(column, columns, sub_runs), first_of(column + 1, columns, sub_runs)
        there = {cell for row in rows for cell in row[begin:end]}
        found.append(next((cell for cell in SHOWN if cell in there), None))
    return found


def first_of(column: int, columns: int, sub_runs: int) -> int:
    """The first sub-run behind a column."""
    return column * sub_runs // columns


def column_of(sub_run: int, columns: int, sub_runs: int) -> int:
    """The column that stands for a sub-run."""
    return ((sub_run + 1) * columns - 1) // sub_runs


def flags(rows: Sequence[Sequence[Cell]]) -> list[tuple[int, int]]:
    """The sub-run and the row of every flagged cell, in the order of the training."""
    return sorted(
        (sub_run, row) for row, cells in enumerate(rows) for sub_run, cell in enumerate(cells) if cell == "flagged"
    )
