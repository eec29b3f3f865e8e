"""A heat map fits its pane, whatever the number of providers, and says what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.decisions import DistanceMatrix
from auditor.job import parse_job
from auditor.planning.choice import assumptions_of
from auditor.tui.widgets.distances import Selection, heat_map_lines
from tests.tui.recorded import job_text


def lines(count: int, width: int) -> list[str]:
    names = tuple(f"provider-{index:03d}" for index in range(count))
    values = np.add.outer(np.arange(count), np.arange(count)) / 100 + 0.01
    np.fill_diagonal(values, 0.0)
    matrix = DistanceMatrix(0, "update", names, values, None)
    selection = Selection(matrix, names[0], (), assumptions_of(parse_job(job_text())))
    return [line.plain for line in heat_map_lines(selection, width)]


@pytest.mark.parametrize("count", [2, 3, 16, 30, 120])
@pytest.mark.parametrize("width", [36, 58, 78, 118, 198])
def test_no_line_is_wider_than_its_pane_and_what_does_not_fit_is_said(count: int, width: int) -> None:
    _, heads, *rows = lines(count, width)
    assert max(map(len, [heads, *rows[:count]])) <= width
    assert all(f"provider-{index:03d}" in row for index, row in enumerate(rows[:count]))
    missing = count - (width - 13 - len(str(count)) - 1) // 2
    said = [row for row in rows if "do not fit" in row]
    assert said == ([f"{missing} columns do not fit; widen the terminal."] if missing > 0 else [])


def test_columns_without_distances_are_numbered_as_the_lines_are() -> None:
    _, heads, *rows = lines(16, 78)
    assert heads.split() == [str(number) for number in range(1, 17)]
    assert [row.split()[0] for row in rows[:16]] == heads.split()
