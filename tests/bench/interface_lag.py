"""How long the interface's event loop is held up, and how soon and at what cost it shows a store of many runs.

A real audit is executed by a process of its own, as the interface does it; a timer on the interface's loop measures
how late it is called. A key press waits at most that long. With `--runs`, a store of so many recorded runs is shown
instead: it measures the time from the start of the interface to the first row and to the last, and what share of a
core the interface takes while nothing happens.

    python -m tests.bench.interface_lag --providers 16
    python -m tests.bench.interface_lag --runs 200
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from textual.coordinate import Coordinate

from auditor.audit.record import events as e
from auditor.job import Job, parse_job
from auditor.tui.app import AuditorApp
from auditor.tui.screens.live import LiveScreen
from auditor.tui.widgets.sortable_table import SortableTable
from tests.tui.recorded import beginning, digest, ending, record

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


def fill(folder: Path, runs: int, sub_runs: int) -> None:
    """Put recorded runs into a store; one in twenty was stopped."""
    first, *_ = beginning()
    committed = [e.Committed(number, 10 * number, digest(number % 100), 1.0) for number in range(1, sub_runs)]
    progress = [e.Progressed("aurora", None, 10 * number, 1.0, 10.0) for number in range(1, sub_runs)]
    for number in range(runs):
        events = [first, *committed, *progress, *ending()[-1:]]
        record(folder, events[: None if number % 20 else -1], run=f"recorded-{number:06x}", minutes=number)


async def measure_list(runs: int, sub_runs: int, size: tuple[int, int], seconds: float) -> None:
    """Print how soon a store of many runs is shown, and what it costs while nothing happens."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), runs, sub_runs)
        began = time.perf_counter()
        found: list[float] = []
        app = AuditorApp(Path(folder))
        async with app.run_test(size=size) as pilot:
            measuring = asyncio.create_task(lags(app, found))
            table = None
            while table is None or table.is_reading:
                await asyncio.sleep(0.01)
                table = next(iter(app.screen.query("#runs").results(SortableTable)), None)
            first_row = time.perf_counter() - began
            while any("reading" in str(table.get_cell_at(Coordinate(row, 2))) for row in range(table.row_count)):
                await asyncio.sleep(0.05)
            last_row = time.perf_counter() - began
            measuring.cancel()
            await pilot.pause(3.0)
            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.sleep(seconds)
            share = (time.process_time() - cpu) / (time.perf_counter() - began)
    milliseconds = sorted(1000 * lag for lag in found)
    print(f"{'runs':>6}{'events each':>13}{'first row':>11}{'all read':>10}{'idle':>9}{'median':>11}{'99th':>11}")
    print(
        f"{runs:>6}{2 * sub_runs:>13}{first_row:>9.2f} s{last_row:>8.2f} s{100 * share:>7.2f} %"
        f"{statistics.median(milliseconds):>8.1f} ms{milliseconds[int(0.99 * (len(milliseconds) - 1))]:>8.1f} ms"
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--providers", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--sub-run-steps", type=int, default=10)
    parser.add_argument("--size", default="160x48")
    parser.add_argument("--runs", type=int, help="show a store of so many runs, of --sub-runs each")
    parser.add_argument("--sub-runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15.0, help="how long nothing happens")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    if given.runs is not None:
        asyncio.run(measure_list(given.runs, given.sub_runs, (width, height), given.seconds))
        return
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
