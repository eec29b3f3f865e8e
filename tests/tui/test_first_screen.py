"""The first screen: at once, without PyTorch, and telling a newcomer what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from auditor.tui.app import AuditorApp
from tests.tui.recorded import beginning, ending, record
from tests.tui.walking import screen_text, until

FIRST_SCREEN = """
import asyncio, sys
from pathlib import Path
from auditor.tui.app import AuditorApp

async def show() -> None:
    app = AuditorApp(Path(sys.argv[1]))
    async with app.run_test() as pilot:
        while not app.screen.query("#runs") or app.screen.query_one("#runs").is_reading:
            await pilot.pause(0.02)
        await app.workers.wait_for_complete()

asyncio.run(show())
print([name for name in ("torch", "torchvision", "auditor.tasks.program") if name in sys.modules])
"""


def test_the_first_screen_loads_no_pytorch(tmp_path: Path) -> None:
    record(tmp_path, [*beginning(), *ending()])
    done = subprocess.run(
        [sys.executable, "-c", FIRST_SCREEN, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_newcomer_is_told_what_to_do(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        assert "Start the quickstart (g)" in screen_text(app)


async def test_every_action_is_in_the_palette_and_has_a_key(app: AuditorApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Press g" in screen_text(app))
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Quickstart", "Runs", "Providers", "Jobs", "Plugins", "Reload", "Help", "Quit", "Theme"} <= titles


async def test_help_explains_what_has_the_focus(home: Path) -> None:
    record(home, [*beginning(), *ending()])
    app = AuditorApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.focused is not None and app.screen.focused.id == "runs")
        await pilot.press("f1")
        await until(pilot, lambda: "Enter or a click opens the row under the cursor" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.focused is not None and app.screen.focused.id == "runs")
