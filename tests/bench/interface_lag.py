"""How long the interface's event loop is held up while it follows an audit of many providers.

A real audit is executed by a process of its own, as the interface does it; a timer on the interface's loop measures
how late it is called. A key press waits at most that long.

    python -m tests.bench.interface_lag --providers 16
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from auditor.job import Job, parse_job
from auditor.tui.app import AuditorApp
from auditor.tui.screens.live import LiveScreen

TICK = 0.01


def job(providers: int, steps: int, k: int) -> Job:
    """The quickstart's task with so many local providers, the first of them malicious."""
    lines = [
        'name = "interface lag"\n[task]\ndataset = "digits"',
        f"[training]\nsteps = {steps}",
        f'[audit]\nsub_run_steps = {k}\nreplicated = {max(2, steps // k // 4)}\nmetrics = ["update"]',
    ]
    for index in range(providers):
        lines.append(f'[[providers]]\nname = "provider-{index:02d}"\nendpoint = "local:cpu"')
        if index == 0:
            lines.append('primary = true\nattack = { name = "badnets", target = 0, rate = 0.1 }')
    return parse_job("\n".join(lines))


async def lags(app: AuditorApp, found: list[float]) -> None:
    """Measure until cancelled."""
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        found.append(max(0.0, time.perf_counter() - due))


async def measure(providers: int, steps: int, k: int, size: tuple[int, int]) -> list[float]:
    """The lags of the loop from the start of a run to its end, in seconds."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        app = AuditorApp(Path(folder))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            run = await app.start(job(providers, steps, k), "bench")
            measuring = asyncio.create_task(lags(app, found))
            while True:
                await asyncio.sleep(0.5)
                screen = app.screen
                if isinstance(screen, LiveScreen) and screen.snapshot and screen.snapshot.state.finished:
                    break
                if app.detached[run].ended is not None:
                    raise SystemExit("\n".join(app.detached[run].last_words()))
            measuring.cancel()
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--providers", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--sub-run-steps", type=int, default=10)
    parser.add_argument("--size", default="160x48")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    found = asyncio.run(measure(given.providers, given.steps, given.sub_run_steps, (width, height)))
    milliseconds = sorted(1000 * lag for lag in found)
    percentile = milliseconds[int(0.99 * (len(milliseconds) - 1))]
    print(f"{'providers':>10}{'sub-runs':>10}{'ticks':>8}{'median':>12}{'99th':>12}{'largest':>12}")
    print(
        f"{given.providers:>10}{-(-given.steps // given.sub_run_steps):>10}{len(found):>8}"
        f"{statistics.median(milliseconds):>9.1f} ms{percentile:>9.1f} ms{milliseconds[-1]:>9.1f} ms"
    )


if __name__ == "__main__":
    main()
