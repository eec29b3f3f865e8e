"""Nothing is lost without a question, keys do what they say, and what was asked for is done once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from auditor.audit.detached_run import DetachedRun
from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.compose_job import ComposeScreen
from auditor.tui.screens.confirm import ConfirmScreen
from auditor.tui.screens.job import JobEditor, JobScreen
from auditor.tui.screens.live import LiveScreen
from tests.tui.recorded import RUN, beginning, ending, job_text, record
from tests.tui.walking import screen_text, text_of, type_text, until


async def opened(app: AuditorApp, path: Path | None, text: str) -> JobScreen:
    screen = JobScreen(text, path)
    await app.push_screen(screen)
    return screen


async def test_keys_do_not_land_in_an_editor_that_was_not_entered(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, None, job_text())
        await until(pilot, lambda: not screen.query_one("#start", Button).disabled)
        await pilot.press("2", "x", "z", "backspace")
        assert screen.query_one(JobEditor).text == job_text()
        assert app.focused is screen.query_one(JobEditor)
        await pilot.press("e", "x")
        assert screen.query_one(JobEditor).text == "x" + job_text()
        await pilot.press("escape", "2", "y")
        assert screen.query_one(JobEditor).text == "x" + job_text()


async def test_an_unsaved_job_is_left_only_after_a_question(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, None, job_text())
        await pilot.press("escape")
        await until(pilot, lambda: "not saved" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.screen is not screen and not isinstance(app.screen, ConfirmScreen))


async def test_a_saved_job_is_left_without_a_question(app: AuditorApp, home: Path) -> None:
    path = Path("job.toml")
    path.write_text(job_text())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, path, job_text())
        await pilot.press("e", "x", "escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n", "w")
        await until(pilot, lambda: "Save the job file as" in screen_text(app))
        await pilot.press("enter")  # its own file: no question
        await until(pilot, lambda: path.read_text() == "x" + job_text() and app.screen is screen)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen and not isinstance(app.screen, ConfirmScreen))


async def test_the_form_keeps_what_was_filled_in(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        await pilot.press("3", "c")
        await until(pilot, lambda: "Complete:" in screen_text(app))
        form = app.screen
        name = form.query_one("#name", Input)
        await type_text(pilot, "mine")
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is form)
        assert "mine" in name.value
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))


async def test_an_untouched_form_asks_nothing(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        await pilot.press("3", "c")
        await until(pilot, lambda: "Complete:" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ComposeScreen | ConfirmScreen))


async def test_a_provider_that_was_filled_in_is_asked_for(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        await pilot.press("2", "a")
        await until(pilot, lambda: "Complete." in screen_text(app))
        await pilot.press("x", "escape")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: len(app.screen_stack) == 2)


@pytest.mark.parametrize("agrees", [True, False])
async def test_a_file_is_replaced_only_after_a_question(app: AuditorApp, home: Path, agrees: bool) -> None:
    record(home, [*beginning(), *ending()])
    report = Path.cwd() / f"{RUN}.txt"
    report.write_text("something dear")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: RUN in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: "aurora, the primary, is flagged" in screen_text(app))
        await pilot.press("w")
        await until(pilot, lambda: "Save as" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "exists. Replace it?" in " ".join(screen_text(app).split()))
        await pilot.press("y" if agrees else "n")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        if agrees:
            await until(pilot, lambda: "FLAGGED" in report.read_text())
        else:
            await until(pilot, lambda: "Save as" in screen_text(app))
    assert ("FLAGGED" in report.read_text()) is agrees


async def test_a_run_whose_process_has_just_begun_is_starting(home: Path) -> None:
    record(home, [])
    app = AuditorApp(home, watch=RUN)
    process = subprocess.Popen(["sleep", "60"])  # stands in for a process that has not come to the run yet
    with Path("log").open("wb") as log:
        app.detached[RUN] = DetachedRun(RUN, process, log)
        try:
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: "starting step 0" in text_of(app, "#title"))
                await pilot.press("escape")
                await until(pilot, lambda: "starting" in screen_text(app) and RUN in screen_text(app))
                process.kill()
                process.wait()
                await until(pilot, lambda: "stopped" in screen_text(app))
        finally:
            process.kill()
            process.wait()


async def test_a_pause_shows_at_once_and_is_asked_once(home: Path) -> None:
    record(home, beginning())
    with Store(home) as store, store.lock(RUN):
        app = AuditorApp(home, watch=RUN)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "running" in text_of(app, "#title"))
            screen = app.screen
            assert isinstance(screen, LiveScreen)
            screen.action_pause()
            await pilot.pause()
            assert "pause requested" in text_of(app, "#title")
            assert screen.check_action("pause", ()) is False
            await until(pilot, lambda: store.requests(RUN) == {"pause"})


@pytest.mark.slow
async def test_a_start_is_taken_once(app: AuditorApp, home: Path) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(app, None, job_text())
        await until(pilot, lambda: not screen.query_one("#start", Button).disabled)
        screen.action_start()
        screen.action_start()
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await pilot.pause(0.2)
        for detached in app.detached.values():
            detached._process.terminate()
            detached._process.wait()
    assert len(app.detached) == 1
