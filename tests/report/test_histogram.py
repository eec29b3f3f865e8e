"""The picture of distances: who lies apart can be told, in 80 columns and without colour."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rich.cells import cell_len

from auditor.audit.record.findings import RecordedJudgement
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.ratio import RatioDecision
from auditor.report.histogram import ASCII_MARKS, FEW, Picture, histogram_lines, marks_for, picture
from auditor.report.log_axis import LogAxis

SHARED = Assumptions(0.6, Seeds.SHARED, 0.001)


def drawn(count: int, far: tuple[int, ...] = (0,), names: str = "provider-{}", assumptions: Assumptions = SHARED,
          zero: bool = False, judged: bool = True) -> Picture:  # fmt: skip
    """Honest distances around 0.02, or of 0, and some providers thirty times as far off."""
    draws = np.random.default_rng(1)
    values = np.zeros((count, count)) if zero else 0.02 * np.exp(draws.normal(0, 0.2, (count, count)))
    for index in far:
        values[index] = values[:, index] = 0.6
    values = np.triu(values, 1)
    providers = tuple(names.format(index) for index in range(count))
    matrix = DistanceMatrix(3, "update", providers, values + values.T, 0.01)
    found = RatioDecision().judge([matrix], assumptions) if judged else []
    recorded = [
        RecordedJudgement("update", one.provider, one.p_value, one.ratio, one.note, None, 2.5e-4,
                          one.p_value is not None and one.p_value <= 2.5e-4)
        for one in found
    ]  # fmt: skip
    return picture(matrix, recorded, assumptions)


def lines_of(made: Picture, width: int = 80, height: int | None = None, ascii_only: bool = False) -> list[str]:
    marks = ASCII_MARKS if ascii_only else marks_for("utf-8")
    return [line.plain for line in histogram_lines(made, width, height, marks)]


def test_who_deviates_lies_beyond_the_mark_and_the_words_say_so() -> None:
    lines = lines_of(drawn(4))
    rows = {line.split()[1]: line for line in lines[2:] if line[:1] in "✓✗"}
    mark = rows["provider-0"].index("┃")
    assert min(index for index, character in enumerate(rows["provider-0"]) if character == "●") > mark
    for honest in ("provider-1", "provider-2", "provider-3"):
        assert rows[honest].rindex("●") < rows[honest].index("┃") <= mark + 1
    text = "\n".join(lines)
    assert "noise floor 0.01" in text
    assert "reference 0.02" in text
    assert "flagged from 0.0" in text
    assert lines[1].startswith("✗ provider-0 deviates")
    assert "p < 1e-9" in lines[1]


def test_nobody_is_shown_beyond_the_mark_where_all_agree() -> None:
    lines = lines_of(drawn(4, far=()))
    assert "Nobody deviates here" in lines[1]
    assert not any(line.startswith("✗") for line in lines[2:])


@pytest.mark.parametrize("count", [2, 3, 4, 9, 10, 16, 30])
@pytest.mark.parametrize("width", [30, 40, 80, 120])
def test_no_line_but_the_words_is_wider_than_it_may_be(count: int, width: int) -> None:
    for line in lines_of(drawn(count, names="名前-{}-long-name"), width)[2:]:
        assert cell_len(line) <= width, line


def test_many_distances_are_bars_and_few_are_points() -> None:
    few, many = lines_of(drawn(9)), lines_of(drawn(10))
    assert 9 * 8 / 2 <= FEW < 10 * 9 / 2
    assert not any(set("▁▂▃▄▅▆▇█") & set(line) for line in few)
    assert any(set("▁▂▃▄▅▆▇█") & set(line) for line in many)
    assert any("9 more" in line for line in many)
    assert any(line.startswith("✗ provider-0") and "●" in line for line in many)


def test_plain_terminals_get_plain_characters() -> None:
    for count in (4, 16):
        assert all(line.replace("×", "x").isascii() for line in lines_of(drawn(count), ascii_only=True))
    assert marks_for("ascii") is marks_for(None) is ASCII_MARKS


def test_a_small_pane_folds_those_who_agree() -> None:
    assert len(lines_of(drawn(9), height=14)) <= 14
    assert any("8 more" in line for line in lines_of(drawn(9), height=14))


def test_distances_of_zero_have_a_place() -> None:
    lines = lines_of(drawn(4, zero=True))
    assert any(line.split()[:2] == ["0", "0.02"] or line.strip().startswith("0 ") for line in lines)
    assert lines[1].startswith("✗ provider-0")


@pytest.mark.parametrize("judged", [True, False])
def test_without_judgements_or_a_reference_there_is_a_picture_all_the_same(judged: bool) -> None:
    for count in (2, 3):
        assert "●" in "".join(lines_of(drawn(count, far=(), judged=judged)))
    assert "flagged from" not in "".join(lines_of(drawn(4, judged=False)))


def test_hostile_names_stay_in_their_line() -> None:
    lines = lines_of(drawn(4, names="a\x1b[31m\n{}\u202e"))
    assert not any(set(line) & set("\x1b\n\u202e") for line in lines)


@pytest.mark.parametrize("values", [[], [0.0], [1e-300, 1e300], [5.0], [math.inf, 1.0], [0.0, 1e-12]])
def test_an_axis_takes_any_distances(values: list[float]) -> None:
    axis = LogAxis.over(values, 40)
    line, numbers = axis.lines("-", "+")
    assert len(line) == 40
    assert len(numbers) <= 40
    assert all(0 <= axis.column(value) < 40 for value in values)


def test_larger_distances_lie_farther_to_the_right() -> None:
    axis = LogAxis.over([0.0, 0.001, 2.0], 60)
    columns = [axis.column(value) for value in (0.0, 0.001, 0.01, 0.1, 1.0, 2.0)]
    assert columns == sorted(set(columns))
