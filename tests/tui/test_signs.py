"""Signs and characters for terminals that show few."""

from __future__ import annotations

from dataclasses import fields

import pytest

from auditor.tui.palette import VARIABLES, palette
from auditor.tui.plain_characters import ERRORS
from auditor.tui.signs import ASCII, EXPLANATIONS, UNICODE, choose_signs
from auditor.tui.widgets.progress import sparkline


@pytest.mark.parametrize(
    ("encoding", "terminal", "plain"),
    [("utf-8", "xterm-256color", False), ("ascii", "xterm", True), ("utf-8", "linux", True), (None, "", True)],
)
def test_signs_are_those_that_the_terminal_can_show(encoding: str | None, terminal: str, plain: bool) -> None:
    assert choose_signs(encoding, terminal) is (ASCII if plain else UNICODE)


@pytest.mark.parametrize("signs", [ASCII, UNICODE])
def test_no_two_cells_have_the_same_sign(signs: object) -> None:
    assert isinstance(signs, type(ASCII))
    assert set(signs.cells) == set(EXPLANATIONS)
    assert len(set(signs.cells.values())) == len(signs.cells)


def test_plain_signs_are_plain() -> None:
    for field in fields(ASCII):
        value = getattr(ASCII, field.name)
        assert "".join(value.values() if isinstance(value, dict) else value).isascii()


def test_frames_become_plain_characters() -> None:
    assert "╭─┐│ █ × – …".encode("ascii", errors=ERRORS) == b"+-+| # x - ~"


def test_without_colours_styles_keep_their_attributes() -> None:
    variables = {variable: "#ff0000" for _, variable in VARIABLES.values()}
    assert palette(variables, colours=False).styles["verdict.flagged"].color is None
    assert palette(variables, colours=False).styles["verdict.flagged"].bold
    assert palette(variables, colours=True).styles["verdict.flagged"].color is not None


def test_a_sparkline_takes_any_values() -> None:
    assert sparkline([], 10) == ""
    assert len(sparkline([float(value) for value in range(100)], 10)) == 10
    assert len(sparkline([1.0, float("nan"), 2.0], 10)) == 2
    assert len(sparkline([1.0, float("inf")], 10)) == 1
