"""From an empty home to a saved verdict, on real runs: with the keyboard alone, and with the mouse alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from textual.widgets._footer import FooterKey

from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.job import JobScreen
from auditor.tui.screens.live import LiveScreen
from auditor.tui.screens.verdict import VerdictScreen
from tests.tui.recorded import NAMES, job_text
from tests.tui.walking import screen_text, type_text, until

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


async def test_with_the_keyboard_alone(app: AuditorApp, home: Path) -> None:
    named = job_text(steps=20, k=10).replace('endpoint = "local:cpu"', "endpoint = NAME").split("NAME")
    Path("small.toml").write_text(
        "".join(part + f'"{name}"' for part, name in zip(named, NAMES, strict=False)) + named[-1]
    )
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

        await pilot.press("3")
        await until(pilot, lambda: shows(app, "quickstart_clean"))
        await pilot.press("slash")
        await type_text(pilot, "small.toml")
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, JobScreen) and shows(app, "Probability that a malicious provider")
        )
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await pilot.press("2")
        await until(pilot, lambda: shows(app, "reference"), RUN_SECONDS)
        await until(pilot, lambda: shows(app, "v shows the verdict"), RUN_SECONDS)
        await pilot.press("v")
        await until(
            pilot, lambda: isinstance(app.screen, VerdictScreen) and shows(app, "aurora, the primary, is flagged")
        )
        await pilot.press("w")
        await until(pilot, lambda: shows(app, "Save as"))
        await pilot.press("enter")
        await until(pilot, lambda: list(Path.cwd().glob("recorded-*.txt")))
    saved = next(Path.cwd().glob("recorded-*.txt")).read_text(encoding="utf-8")
    assert "FLAGGED: aurora" in saved
    assert "Evidence" in saved


async def test_with_the_mouse_alone(app: AuditorApp, home: Path) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: shows(app, "Press g"))
        await pilot.click("#--content-tab-providers-tab")
        for count in (1, 2, 3):
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.click("#add-provider")
            await until(pilot, lambda: app.screen.query("#save"))
            await pilot.click("#save")
            await until(pilot, partial(registered, app, f"local-{count}"))
        await pilot.click("#--content-tab-jobs-tab")
        await until(pilot, lambda: shows(app, "quickstart_clean"))
        row = next(index for index, line in enumerate(screen_text(app).splitlines()) if " quickstart  " in line)
        while not isinstance(app.screen, JobScreen):
            await pilot.click(offset=(12, row))
            await pilot.pause()
        await until(pilot, lambda: shows(app, "Probability that a malicious provider"))
        await pilot.click("#start")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        await until(pilot, lambda: shows(app, "reference"), RUN_SECONDS)
        await until(pilot, lambda: shows(app, "v shows the verdict"), RUN_SECONDS)
        await click_key(pilot, "Verdict")
        await until(
            pilot, lambda: isinstance(app.screen, VerdictScreen) and shows(app, "aurora, the primary, is flagged")
        )
        await click_key(pilot, "Save")
        await until(pilot, lambda: app.screen.query("#save"))
        await pilot.click("#save")
        await until(pilot, lambda: list(Path.cwd().glob("quickstart-*.txt")))
    assert "FLAGGED: aurora" in next(Path.cwd().glob("quickstart-*.txt")).read_text(encoding="utf-8")
