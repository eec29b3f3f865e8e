"""With many sub-runs or many providers one sees where flags are, and gets there by a key or a click."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from auditor.report.timeline import Cell
from auditor.tui.app import AuditorApp
from auditor.tui.widgets.flag_map import column_of, first_of, flags, strongest
from auditor.tui.widgets.timeline import Timeline
from tests.tui.long_runs import CHECKED, FLAGGED, RUN, SUB_RUNS, record_long
from tests.tui.recorded import NAMES, beginning, ending, record
from tests.tui.recorded import RUN as SHORT
from tests.tui.walking import screen_text, until

MANY = ("aurora", *(f"provider-{index:02d}" for index in range(1, 31)))


def cells_with(sub_runs: int, flagged: set[int]) -> list[Cell]:
    return ["flagged" if index in flagged else "skipped" for index in range(sub_runs)]


@pytest.mark.parametrize("sub_runs", [1, 7, 55, 56, 200, 10_000])
@pytest.mark.parametrize("width", [1, 7, 55])
def test_every_flag_is_on_the_map_and_nothing_else(sub_runs: int, width: int) -> None:
    columns = min(width, sub_runs)
    for flagged in ({0}, {sub_runs - 1}, {sub_runs // 2}, set(range(0, sub_runs, 3))):
        shown = strongest([cells_with(sub_runs, flagged), cells_with(sub_runs, set())], width)
        expected = {column_of(index, columns, sub_runs) for index in flagged}
        assert {column for column, cell in enumerate(shown) if cell == "flagged"} == expected
        assert len(shown) == columns
    for column in range(columns):
        assert column_of(first_of(column, columns, sub_runs), columns, sub_runs) == column


def test_a_flag_covers_what_is_weaker() -> None:
    rows: list[list[Cell]] = [["consistent", "failed", "undecided"], ["undecided", "consistent", "flagged"]]
    assert strongest(rows, 3) == ["undecided", "failed", "flagged"]
    assert strongest(rows, 1) == ["flagged"]
    assert flags(rows) == [(2, 1)]
    assert strongest([], 10) == []


def line_of_map(app: AuditorApp) -> str:
    return next(line for line in screen_text(app).splitlines() if line.strip("│ ").startswith("✗ 4/200"))


def timeline(app: AuditorApp) -> Timeline:
    return app.screen.query_one(Timeline)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (120, 36), (200, 60)])
async def test_flags_that_are_out_of_sight_are_shown_and_reached(home: Path, size: tuple[int, int]) -> None:
    record_long(home)
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "sub-run 3 (steps 30 to 40): flagged" in " ".join(screen_text(app).split()))
        shown = line_of_map(app)[3:]
        assert shown.count("✗") == len(FLAGGED)
        assert 0 < shown.count("━") < shown.count("━") + shown.count("─") <= SUB_RUNS
        for sub_run in (*FLAGGED[1:], FLAGGED[0]):
            await pilot.press("F")
            await until(pilot, lambda wanted=sub_run: timeline(app).cursor == (0, wanted))  # type: ignore[misc]
            assert "[✗]" in screen_text(app)
        await pilot.press("end")
        await until(pilot, lambda: timeline(app).cursor[1] == SUB_RUNS - 1)
        await click_on_flag(app, pilot, line_of_map(app).rindex("✗"))
        await until(pilot, lambda: timeline(app).cursor == (0, FLAGGED[-1]))


async def click_on_flag(app: AuditorApp, pilot: Pilot[None], column: int) -> None:
    row = screen_text(app).splitlines().index(line_of_map(app))
    await pilot.click(offset=(column, row))


async def test_what_is_flagged_is_reached_below_other_providers_and_headings_stay(home: Path) -> None:
    names = (*MANY[1:], MANY[0])
    record_long(home, names)
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗ 4/200" in screen_text(app))
        await pilot.press(*["down"] * (len(names) - 1))
        await until(pilot, lambda: "aurora, sub-run" in screen_text(app))
        text = screen_text(app)
        assert "sub-run " in text.splitlines()[3]
        assert "✗ 4/200" in text.splitlines()[4]
        assert "aurora " in "".join(text.splitlines()[5:-6]), "the line that the cursor is on is in sight"
        await pilot.press("F")
        await until(pilot, lambda: timeline(app).cursor == (0, FLAGGED[1]))
        assert "[✗]" in screen_text(app)


async def test_a_run_that_fits_needs_no_map_and_no_flag_is_said(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    record_long(home, flagged=(), ends=False)
    app = AuditorApp(home, watch=SHORT)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "v shows the verdict" in screen_text(app))
        assert "✗ 1/6" not in screen_text(app)
        app.open_run(RUN)
        await until(pilot, lambda: "✗ 0/200" in screen_text(app))
        assert "F: next flag" not in screen_text(app)
        assert timeline(app).cursor == (0, CHECKED[-1])
        await pilot.press("F")
        await until(pilot, lambda: any("Nothing is flagged so far" in told.message for told in app._notifications))


async def test_a_filter_keeps_the_map_to_one_provider(home: Path) -> None:
    record_long(home)
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗ 4/200" in screen_text(app))
        await pilot.press("down", "f")
        await until(pilot, lambda: f"only {NAMES[1]}" in screen_text(app) and "✗ 0/200" in screen_text(app))
