"""From an empty home to a saved verdict, on real runs: with the keyboard alone, and with the mouse alone."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input
from textual.widgets._footer import FooterKey

from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.run_follower import Snapshot
from auditor.tui.screens.compose_job import ComposeScreen
from auditor.tui.screens.confirm import ConfirmScreen
from auditor.tui.screens.job import JobEditor, JobScreen
from auditor.tui.screens.jump import JumpScreen
from auditor.tui.screens.live import LiveScreen
from auditor.tui.screens.verdict import VerdictScreen
from auditor.tui.widgets.distances import DistanceView
from auditor.tui.widgets.event_log import SearchInput
from auditor.tui.widgets.log_lines import LogLines
from tests.tui.recorded import NAMES, job_text
from tests.tui.walking import screen_text, text_of, type_text, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
RUN_SECONDS = 200.0


def shows(app: AuditorApp, words: str) -> bool:
    return words in screen_text(app)


def registered(app: AuditorApp, name: str) -> bool:
    """Whether the table of providers is in front and shows this one."""
    return len(app.screen_stack) == 2 and shows(app, name)


async def click_key(pilot: Pilot[Any], description: str) -> None:
    """Click an action in the footer."""
    await until(pilot, lambda: [one for one in pilot.app.screen.query(FooterKey) if one.description == description])
    key = next(one for one in pilot.app.screen.query(FooterKey) if one.description == description)
    await pilot.click(key)


def snapshot(app: AuditorApp) -> Snapshot:
    """The run that is shown, as it is now."""
    assert isinstance(app.screen, LiveScreen)
    assert app.screen.snapshot is not None
    return app.screen.snapshot


def name_the_providers(*names: str) -> None:
    """Write `small.toml`, a short job of these registered providers, the first of them malicious."""
    unnamed = job_text(names, steps=600, k=10).replace('endpoint = "local:cpu"', "endpoint = NAME").split("NAME")
    parts = [part + f'"{name}"' for part, name in zip(unnamed, names, strict=False)]
    Path("small.toml").write_text("".join(parts) + unnamed[-1])


async def compose_with_errors(app: AuditorApp, pilot: Pilot[Any]) -> None:
    """Fill in the form wrongly, mend it, look at the text, come back and leave."""
    await pilot.press("3", "c")
    await until(pilot, lambda: shows(app, "Complete: 10 sub-runs, 3 providers"))
    await pilot.press("tab", "tab", "tab", "tab")
    assert isinstance(app.focused, Input)
    assert app.focused.id == "steps"
    await pilot.press("x")
    await until(pilot, lambda: shows(app, "training.steps"))
    await pilot.press("backspace")
    await type_text(pilot, "800")
    await until(pilot, lambda: shows(app, "Complete: 20 sub-runs, 3 providers"))
    await pilot.press("f2")
    await until(pilot, lambda: isinstance(app.screen, JobScreen) and shows(app, "Probability that"))
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
    await pilot.press("escape")
    await until(pilot, lambda: shows(app, "Leave the form?"))
    await pilot.press("y")


async def test_with_the_keyboard_alone(app: AuditorApp, home: Path) -> None:
    name_the_providers(*NAMES)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(app, "Press g"))
        await pilot.press("2")
        for name in NAMES:
            await pilot.press("a")
            await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.id == "name")
            await type_text(pilot, name)
            await pilot.press("enter", "enter", "enter")
            await until(pilot, partial(registered, app, name))
        with Store(home) as store:
            assert [provider.name for provider in store.providers()] == list(NAMES)

        await compose_with_errors(app, pilot)
        await until(pilot, lambda: shows(app, "quickstart_clean"))
        await pilot.press("slash")
        await type_text(pilot, "small.toml")
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, JobScreen) and shows(app, "Probability that a malicious provider")
        )
        await pilot.press("e", "number_sign", "escape", "escape")
        await until(pilot, lambda: shows(app, "not saved. Leave"))
        await pilot.press("n", "e", "backspace", "escape", "s")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await until(pilot, lambda: snapshot(app).state.step >= 10, RUN_SECONDS)
        await pilot.press("x")
        await until(pilot, lambda: shows(app, "Stop this run now"))
        await pilot.press("y")
        await until(pilot, lambda: "stopped" in text_of(app, "#title"), RUN_SECONDS)
        await pilot.press("r")
        await until(pilot, lambda: shows(app, "v shows the verdict"), RUN_SECONDS)
        await pilot.press("slash")
        await type_text(pilot, "resumed")
        await pilot.press("enter", "n")
        await until(pilot, lambda: shows(app, "resumed at step"))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: shows(app, "2  Distances"))
        await pilot.press("2")
        await until(pilot, lambda: shows(app, "reference"))
        await pilot.press("v")
        await until(
            pilot, lambda: isinstance(app.screen, VerdictScreen) and shows(app, "aurora, the primary, is flagged")
        )
        await pilot.press("w")
        await until(pilot, lambda: shows(app, "Save as"))
        await pilot.press("enter")
        await until(pilot, lambda: list(Path.cwd().glob("recorded-*.txt")))
        await until(pilot, lambda: isinstance(app.screen, VerdictScreen))
        await pilot.press("w")
        await until(pilot, lambda: shows(app, "Save as"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(app, "Replace it?"))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, VerdictScreen))
    saved = next(Path.cwd().glob("recorded-*.txt")).read_text(encoding="utf-8")
    assert "FLAGGED: aurora" in saved
    assert "Evidence" in saved


async def compose_with_errors_by_mouse(app: AuditorApp, pilot: Pilot[Any]) -> None:
    """Fill in the form wrongly, mend it, look at the text, come back and leave."""
    await pilot.click("#--content-tab-jobs-tab")
    await until(pilot, lambda: shows(app, "quickstart_clean"))
    await pilot.click("#compose-job")
    await until(pilot, lambda: shows(app, "Complete: 10 sub-runs, 3 providers"))
    for row in (0, 1):
        await pilot.click("#chosen", offset=(4, row))
    await until(pilot, lambda: not shows(app, "Complete:"))  # one provider alone cannot be audited
    for row in (0, 1):
        await pilot.click("#chosen", offset=(4, row))
    await until(pilot, lambda: shows(app, "Complete: 10 sub-runs, 3 providers"))
    await pilot.click("#steps")
    await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.id == "steps")
    await type_text(pilot, "x")
    await until(pilot, lambda: shows(app, "training.steps"))
    await pilot.press("backspace")
    await type_text(pilot, "8")
    await until(pilot, lambda: shows(app, "Complete: 210 sub-runs, 3 providers"))
    await pilot.click("#go-on")
    await until(pilot, lambda: isinstance(app.screen, JobScreen) and shows(app, "Probability that"))
    await click_key(pilot, "Back")
    await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
    await click_key(pilot, "Back")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.click("#no")
    await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
    await click_key(pilot, "Back")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.click("#yes")
    await until(pilot, lambda: len(app.screen_stack) == 2)


async def open_and_mend_by_mouse(app: AuditorApp, pilot: Pilot[Any]) -> None:
    """Open the job file, type into it, be asked when leaving, and take back what was typed."""
    await pilot.click("#job-path")
    await type_text(pilot, "small.toml")
    await pilot.click("#open-job")
    await until(pilot, lambda: isinstance(app.screen, JobScreen) and shows(app, "Probability that a malicious"))
    editor = app.screen.query_one(JobEditor)
    before = editor.text
    await pilot.click(JobEditor, offset=(8, 0))
    await until(pilot, lambda: not editor.read_only)
    await type_text(pilot, "x")
    await until(pilot, lambda: editor.text != before)
    await click_key(pilot, "Leave the editor")
    await click_key(pilot, "Back")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
    await pilot.click("#no")
    await until(pilot, lambda: isinstance(app.screen, JobScreen))
    await pilot.click(JobEditor, offset=(9, 0))
    await until(pilot, lambda: not editor.read_only)
    await pilot.press("backspace")
    await until(pilot, lambda: editor.text == before)


async def find_in_the_log_by_mouse(app: AuditorApp, pilot: Pilot[Any]) -> None:
    """Type what to look for, and go from one hit to the next."""
    await pilot.click(SearchInput)
    await until(pilot, lambda: isinstance(app.focused, SearchInput))
    await type_text(pilot, "committed")
    lines = app.screen.query_one(LogLines)
    await until(pilot, lambda: re.fullmatch(r"(\d+) of \1", hits(lines)))
    await pilot.click(LogLines)
    await click_key(pilot, "Find next")
    await until(pilot, lambda: hits(lines).startswith("1 of "))


def hits(lines: LogLines) -> str:
    """Which hit is shown, and of how many."""
    return str(getattr(lines.parent, "border_subtitle", ""))


async def test_with_the_mouse_alone(app: AuditorApp, home: Path) -> None:
    """Keys only write what nobody can click."""
    name_the_providers("local-1", "local-2", "local-3")
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: shows(app, "Press g"))
        await pilot.click("#--content-tab-providers-tab")
        for count in (1, 2, 3):
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await until(pilot, lambda: app.screen.query_one("#add-provider").is_on_screen)
            await pilot.click("#add-provider")
            await until(pilot, lambda: app.screen.query("#save"))
            await pilot.click("#save")
            await until(pilot, partial(registered, app, f"local-{count}"))
        await compose_with_errors_by_mouse(app, pilot)
        await open_and_mend_by_mouse(app, pilot)
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled)
        await pilot.click("#start")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await until(pilot, lambda: snapshot(app).state.step >= 10, RUN_SECONDS)
        await click_key(pilot, "Cancel")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.click("#yes")
        await until(pilot, lambda: "stopped" in text_of(app, "#title"), RUN_SECONDS)
        await click_key(pilot, "Resume")
        await until(pilot, lambda: shows(app, "reference"), RUN_SECONDS)
        await until(pilot, lambda: shows(app, "v shows the verdict"), RUN_SECONDS)
        await find_in_the_log_by_mouse(app, pilot)
        await click_key(pilot, "Jump")
        await until(pilot, lambda: isinstance(app.screen, JumpScreen))
        await pilot.click("OptionList", offset=(4, 1))
        await until(pilot, lambda: isinstance(app.screen, LiveScreen) and isinstance(app.focused, DistanceView))
        await click_key(pilot, "Verdict")
        await until(
            pilot, lambda: isinstance(app.screen, VerdictScreen) and shows(app, "local-1, the primary, is flagged")
        )
        for time in (1, 2):
            await until(pilot, lambda: isinstance(app.screen, VerdictScreen))
            await click_key(pilot, "Save")
            await until(pilot, lambda: app.screen.query("#save"))
            await pilot.click("#save")
            if time == 2:
                await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
                await pilot.click("#yes")
            await until(pilot, lambda: list(Path.cwd().glob("recorded-*.txt")))
        await until(pilot, lambda: isinstance(app.screen, VerdictScreen))
    assert "FLAGGED: local-1" in next(Path.cwd().glob("recorded-*.txt")).read_text(encoding="utf-8")
