"""Signs can be read in every theme that ships, and the flagged one is never missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color

from auditor.tui.app import AuditorApp
from auditor.tui.palette import READABLE, STRONGEST, contrast
from auditor.tui.widgets.timeline import Timeline
from tests.bench.contrast import table
from tests.tui.recorded import RUN, beginning, ending, record
from tests.tui.walking import screen_text, until


def test_no_sign_is_under_what_can_be_read_in_any_theme() -> None:
    found = table()
    assert {theme for theme, row in found.items() if not row} == {"ansi-dark", "ansi-light"}
    for theme, row in found.items():
        assert all(figure >= READABLE for figure in row.values()), (theme, row)
        assert not row or row["sign-flagged"] >= STRONGEST, theme


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light", None])
async def test_the_flagged_cell_is_the_only_filled_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, theme: str | None
) -> None:
    if theme is None:
        monkeypatch.setenv("NO_COLOR", "1")
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(120, 36)) as pilot:
        app.theme = theme or "textual-dark"
        await until(pilot, lambda: "v shows the verdict" in screen_text(app))
        await until(pilot, lambda: "✗" in screen_text(app).splitlines()[3])
        timeline = app.screen.query_one(Timeline)
        strip = [segment for line in range(4) for segment in timeline.render_line(line)]
        filled = {segment.text.strip() for segment in strip if segment.style is not None and segment.style.reverse}
        assert filled == {"✗", "✗ flagged"}
        cross = next(segment.style for segment in strip if segment.text == "✗")
        assert cross is not None
        if theme is not None and theme.startswith("ansi"):
            assert {_name(segment) for segment in strip if segment.text in ("✗", "✓", "–", "?", "!")} == {"default"}
            assert cross.bold
        elif theme is not None:
            assert cross.color is not None
            assert cross.bgcolor is not None
            assert contrast(Color.from_rich_color(cross.color), Color.from_rich_color(cross.bgcolor)) >= STRONGEST


def _name(segment: Segment) -> str | None:
    """The colour that a sign has, in the words of the terminal."""
    assert segment.style is not None
    return segment.style.color and segment.style.color.name


async def test_the_cursor_and_the_primary_are_told_without_colours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "aurora*" in screen_text(app) and "[✗]" in screen_text(app))
        await pilot.press("down")
        await until(pilot, lambda: "[✗]" not in screen_text(app) and "[✓]" in screen_text(app))
        text = " ".join(screen_text(app).split())
        for words in ("✗ flagged", "✓ consistent", "– not replicated", "* primary", "[ ] selected"):
            assert words in text
