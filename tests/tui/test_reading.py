"""Where something is read, it says so; nothing is said to be absent before that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.widgets import Static

from auditor.audit.record import events as e
from auditor.job import parse_job
from auditor.planning import choose
from auditor.planning.measured_power import known_power, read_measurements
from auditor.tasks.survey import FirstLook
from auditor.tui.app import AuditorApp
from auditor.tui.screens.compose_job import ComposeScreen
from auditor.tui.screens.job import JobScreen
from auditor.tui.screens.live import LiveScreen
from auditor.tui.screens.verdict import VerdictScreen
from auditor.tui.widgets.lines import READING, Lines
from auditor.tui.widgets.plan_view import Checked, PlanView
from auditor.tui.widgets.sortable_table import Row, SortableTable
from tests.tui.long_runs import record_long
from tests.tui.recorded import RUN, beginning, digest, ending, job_text, record
from tests.tui.walking import screen_text, text_of, until

ABSENT = ("No verdict", "No distances", "Nothing", "nothing", "There is no", "None is", "idle")
"""How panes begin to say that there is nothing."""


def all_texts(app: App[Any]) -> str:
    """What is on the screen in front, all of its panes."""
    texts = [str(static.render()) for static in app.screen.query(Static)]
    for table in app.screen.query(SortableTable):
        texts += [str(cell) for row in range(table.row_count) for cell in table.get_row_at(row)]
    return "\n".join(texts)


@pytest.mark.parametrize("keys", ["", "2", "3", "4"])
async def test_every_tab_says_that_it_reads(home: Path, keys: str) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home)
    seen: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.query(SortableTable))
        for table in app.screen.query(SortableTable):
            if table.is_reading:
                seen.append(str(table.get_row_at(0)[0]))
        await pilot.press(*keys)
        tables = [table for table in app.screen.query(SortableTable) if table.is_on_screen]
        await until(pilot, lambda: not any(table.is_reading for table in tables))
        assert not any(READING in str(table.get_row_at(0)[0]) for table in tables if table.row_count)
    assert set(seen) <= {READING}
    assert len(seen) >= 3, "the tabs that are not in front have not been read"


@pytest.mark.parametrize("kind", [LiveScreen, VerdictScreen])
async def test_a_run_is_said_to_be_read_until_it_is(home: Path, kind: type[LiveScreen] | type[VerdictScreen]) -> None:
    record_long(home)
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: RUN in screen_text(app))
        screen = kind(RUN)
        await app.push_screen(screen)
        while screen.snapshot is None:
            text = all_texts(app)
            assert READING in text_of(app, "#title")
            assert text.count(READING) > 3
            assert not any(line.startswith(ABSENT) for line in text.splitlines()), text
            await pilot.pause(0.001)
        await until(pilot, lambda: READING not in all_texts(app))


async def test_a_run_that_cannot_be_read_is_not_said_to_be_read(home: Path) -> None:
    record(home, [*beginning(), e.ReplicaReturned(5, "borealis", digest(1), 80_000, 0.9, True)])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "damaged" in text_of(app, "#title"))
        assert READING not in screen_text(app)
        assert text_of(app, "#lost").strip() == text_of(app, "#title").strip()


async def test_a_job_and_its_data_are_said_to_be_read(home: Path) -> None:
    app = AuditorApp(home)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = JobScreen(job_text(), None)
        await app.push_screen(screen)
        assert READING in text_of(app, "#title")
        assert str(screen.query_one(PlanView).query_one(Static).render()) == READING
        await until(pilot, lambda: "Probability that" in screen_text(app) and READING not in all_texts(app))
        job = parse_job(job_text())
        known = known_power(job, read_measurements())
        plan = screen.query_one(PlanView)
        plan.show(Checked(job, known.plan(job), choose(job), known, ()))
        assert f"data {READING}" in " ".join(str(plan.query_one(Static).render()).split())
        plan.show(Checked(job, known.plan(job), choose(job), known, (), [FirstLook()]))
        assert READING not in str(plan.query_one(Static).render())


async def test_the_form_says_when_the_registry_is_read_and_goes_on_only_then(home: Path) -> None:
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = ComposeScreen()
        await app.push_screen(screen)
        if not screen._filled:
            assert text_of(app, "#registry") == READING
            screen.action_go_on()
            assert app.screen is screen
        await until(pilot, lambda: "None is registered" in screen_text(app))


class Showing(App[None]):
    """A few lines and a table, as a screen has them."""

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield SortableTable("name", "size", empty="nobody yet", id="table")


async def test_lines_say_how_many_more_there_are_and_the_next_heading() -> None:
    app = Showing()
    async with app.run_test(size=(40, 20)) as pilot:
        lines = app.query_one("#lines", Lines)
        more = lines.query_one(".more", Static)
        assert READING in screen_text(app)
        room = lines.size.height
        lines.write([Text(f"line {number}") for number in range(room)])
        await until(pilot, lambda: f"line {room - 1}" in screen_text(app))
        assert not more.display
        bold = Text("What to do next", style="bold")
        lines.write([*(Text(f"line {number}") for number in range(room)), bold, Text("word " * 20), Text("the end")])
        await until(pilot, lambda: "more lines: What to do next" in screen_text(app))
        wrapped = 3
        assert f"▼ {1 + 1 + wrapped + 1} more lines" in screen_text(app)
        lines.focus()
        await pilot.press("end")
        await until(pilot, lambda: "the end" in screen_text(app) and not more.display)
        await pilot.press("home")
        await until(pilot, lambda: more.display)
        await pilot.resize_terminal(40, 60)
        await until(pilot, lambda: not more.display)


async def test_a_table_tells_reading_from_empty_and_from_no_hit() -> None:
    app = Showing()
    async with app.run_test(size=(40, 20)) as pilot:
        table = app.query_one(SortableTable)
        assert (table.is_reading, table.selected) == (True, None)
        table.show([])
        await until(pilot, lambda: "nobody yet" in screen_text(app))
        assert (table.is_reading, table.selected) == (False, None)
        table.show([Row("a", (Text("aurora"), Text("1")), ("aurora", 1))])
        await until(pilot, lambda: "aurora" in screen_text(app))
        assert table.selected == "a"
        table.search("borealis")
        await until(pilot, lambda: "nothing holds these words" in screen_text(app))
        assert table.selected is None
        table.search("")
        await until(pilot, lambda: table.selected == "a")


async def test_the_verdict_shows_at_once_that_it_says_what_to_do(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home, watch=RUN)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: "What to do next" in screen_text(app))
        assert "more lines" in screen_text(app)
