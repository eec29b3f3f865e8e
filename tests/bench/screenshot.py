"""The pictures of the interface in the README, made anew from a run that is in the store.

auditor run sample:quickstart
python -m tests.bench.screenshot docs --run last
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from textual.pilot import Pilot

from auditor.store import Store
from auditor.tui.app import AuditorApp
from auditor.tui.screens.base import RunScreen


async def pictures(folder: Path, run: str, size: tuple[int, int]) -> None:
    """Save the live screen and the verdict screen."""
    with Store() as store:
        record, home = store.find_run(run), store.folder
    app = AuditorApp(home, watch=record.id)
    async with app.run_test(size=size) as pilot:
        await _shown(app, pilot)
        await pilot.press("n")
        await pilot.pause()
        app.save_screenshot("live.svg", str(folder))
        await pilot.press("v")
        await _shown(app, pilot)
        app.save_screenshot("verdict.svg", str(folder))


async def _shown(app: AuditorApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    while not (isinstance(app.screen, RunScreen) and app.screen.snapshot):
        await pilot.pause(0.05)
    await pilot.pause()


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run", default="last")
    parser.add_argument("--size", default="120x36")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(pictures(given.folder, given.run, (width, height)))
    print(given.folder / "live.svg", given.folder / "verdict.svg")


if __name__ == "__main__":
    main()
