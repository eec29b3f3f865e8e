"""What an audit costs with many providers and many sub-runs, and how that grows.

All providers are simulated: they train nothing, so that what is measured is auditor. Each cell is a run of its own
process with a home of its own. The model is tiny, a checkpoint has a few kilobytes, and four sub-runs are replicated,
each by all providers but with --replicas.

    python -m tests.bench.scale --providers 16 64 256 --sub-runs 100 1000 10000 --output scale.jsonl
    python -m tests.bench.scale --table scale.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STEPS = 2
"""Of a sub-run."""
LOOK_SECONDS = 0.1


def job(providers: int, sub_runs: int, replicated: int, replicas: int | None, seeds: str) -> str:
    """A job with so many simulated providers, the second of which deviates."""
    lines = [
        'name = "scale"\n[task]\nkind = "random_fourier"\ndataset = "digits"\nfeatures = 20\nclasses = [0, 1]',
        f"[training]\nsteps = {STEPS * sub_runs}\nbatch_size = 8",
        f'[audit]\nsub_run_steps = {STEPS}\nreplicated = {replicated}\nmetrics = ["update"]',
        f'seeds = "{seeds}"\ndrawn_by = "client"',
    ]
    if replicas is not None:
        lines.append(f"replicas = {replicas}")
    for index in range(providers):
        kind = "deviating=0.5" if index == 1 else "honest"
        lines.append(f'[[providers]]\nname = "p{index:03d}"\nendpoint = "simulated:{kind}"')
        if index == 0:
            lines.append("primary = true")
    return "\n".join(lines)


def measured(*command: str, home: Path) -> tuple[float, float, float, bytes]:
    """Wall seconds, CPU seconds and peak MB of a process by itself, without those that it starts, and its output."""
    output, environment = home / "stdout", os.environ | {"AUDITOR_HOME": str(home)}
    with output.open("wb") as file:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "auditor", *command], stdout=file, env=environment)
        cpu, peak = 0.0, 0.0
        while process.poll() is None:
            try:
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") or cpu
            peak = max([peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)])
            time.sleep(LOOK_SECONDS)
        process.wait()
        wall = time.perf_counter() - began
    if process.returncode not in (0, 10, 11):
        raise SystemExit(f"auditor {' '.join(command)} ended with {process.returncode}")
    return wall, cpu, peak, output.read_bytes()


async def first_row(home: Path) -> tuple[float, float]:
    """Seconds until the interface lists the run, and until it shows it."""
    from auditor.tui.app import AuditorApp
    from auditor.tui.screens.verdict import VerdictScreen
    from auditor.tui.widgets.sortable_table import SortableTable

    began = time.perf_counter()
    app = AuditorApp(home)
    async with app.run_test(size=(160, 48)) as pilot:
        table = None
        while table is None or table.is_reading or not table.row_count:
            await asyncio.sleep(0.01)
            table = next(iter(app.screen.query("#runs").results(SortableTable)), None)
        row = time.perf_counter() - began
        began = time.perf_counter()
        await pilot.press("enter")
        while not (isinstance(app.screen, VerdictScreen) and app.screen.snapshot is not None):
            await asyncio.sleep(0.01)
        return row, time.perf_counter() - began


def cell(providers: int, sub_runs: int, given: argparse.Namespace) -> dict[str, Any]:
    """Run one audit and look at it."""
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        home = Path(folder)
        path = home / "job.toml"
        path.write_text(job(providers, sub_runs, given.replicated, given.replicas, given.seeds))
        wall, cpu, peak, said = measured("run", str(path), "--json", home=home)
        events = [json.loads(line) for line in said.splitlines()]
        began = next(event["time"] for event in events if event["event"] == "run_started")
        audit = _seconds(began, events[-1]["time"])
        show_wall, show_cpu, show_peak, _ = measured("show", "last", home=home)
        report_wall, report_cpu, _, _ = measured("report", "last", home=home)
        row, verdict = asyncio.run(first_row(home))
        database = sum(file.stat().st_size for file in home.glob("auditor.db*"))
        flagged = [one["name"] for one in events[-1]["providers"] if one["verdict"] == "flagged"]
    return {
        "providers": providers,
        "sub_runs": sub_runs,
        "replicated": given.replicated,
        "events": len(events),
        "audit_seconds": audit,
        "run_seconds": wall,
        "cpu_seconds": cpu,
        "peak_mb": peak,
        "database_mb": database / 1e6,
        "show_seconds": show_wall,
        "show_cpu": show_cpu,
        "show_mb": show_peak,
        "report_seconds": report_wall,
        "report_cpu": report_cpu,
        "first_row": row,
        "verdict_screen": verdict,
        "flagged": flagged,
        "outcome": events[-1]["outcome"],
    }


def _seconds(first: str, last: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


HEADINGS = (
    "providers",
    "sub-runs",
    "events",
    "events a second",
    "wall",
    "processor",
    "peak memory",
    "database",
    "`show`",
    "first row",
    "verdict screen",
)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table of Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---:|" * len(HEADINGS)]
    for row in rows:
        figures = (
            row["providers"],
            f"{row['sub_runs']:,}",
            f"{row['events']:,}",
            f"{row['events'] / row['audit_seconds']:.0f}",
            f"{row['run_seconds']:.0f} s",
            f"{row['cpu_seconds']:.1f} s",
            f"{row['peak_mb']:.0f} MB",
            f"{row['database_mb']:.1f} MB",
            f"{row['show_cpu']:.1f} s",
            f"{row['first_row']:.1f} s",
            f"{row['verdict_screen']:.1f} s",
        )
        lines.append("| " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure cells, or print the table of those that were measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--providers", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--sub-runs", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--replicated", type=int, default=4)
    parser.add_argument("--replicas", type=int, help="how many execute a replicated sub-run; all others if not given")
    parser.add_argument("--seeds", choices=("shared", "own"), default="shared")
    parser.add_argument("--folder", type=Path, help="where homes are made")
    parser.add_argument("--output", type=Path, help="a file that rows are added to")
    parser.add_argument("--table", type=Path, help="print the table of such a file, and measure nothing")
    given = parser.parse_args()
    if given.table is not None:
        print(table([json.loads(line) for line in given.table.read_text().splitlines()]))
        return
    rows = []
    for sub_runs in given.sub_runs:
        for providers in given.providers:
            rows.append(cell(providers, sub_runs, given))
            print(json.dumps(rows[-1]), flush=True)
            if given.output is not None:
                with given.output.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
