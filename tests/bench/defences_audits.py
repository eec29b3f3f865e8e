"""The columns of the table of defences that are about audits: how often each replicates, flags, and is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench.loaded_start import audited

ROOT = Path(__file__).parents[2]
POOLS = {"own": "defences_own", "shared": "defences_shared"}
"""The benchmarks of both kinds of seeds."""
ATTACKS = {
    "badnets": "BadNets",
    "blend": "Blend",
    "wanet": "WaNet",
    "low_rate ratio=0.1 of badnets": "low rate",
}
HONEST = "honest providers"
LOADED = {
    "loaded Fourier": ('{ name = "loaded_fourier" }', 'kind = "random_fourier"\none_against_rest = 3\nfeatures = 500'),
    "loaded ReLU": ('{ name = "loaded_relu" }', 'kind = "random_relu"\nclasses = [0, 1]'),
}
WAYS = {"own seeds": ("own", "provider"), "client's seeds": ("shared", "client"), "tossed coins": ("shared", "coin")}

Cell = tuple[int, int]
"""How many of how many were flagged."""


def audit_cells(folder: Path, audits: int) -> Mapping[str, Mapping[str, Cell]]:
    """By kind of backdoor and way of auditing, how many were flagged; kept in `folder`, and measured where missing.

    Args:
        folder: for what was measured.
        audits: of each loaded model and way.
    """
    kept = folder / "audits.json"
    if kept.exists():
        found: dict[str, dict[str, Cell]] = json.loads(kept.read_text())
        return found
    found = {}
    for seeds, name in POOLS.items():
        ways = ["own seeds"] if seeds == "own" else ["client's seeds", "tossed coins"]
        for row, cell in _pool(folder, name).items():
            found.setdefault(row, {}).update(dict.fromkeys(ways, cell))
    for row, (attack, task) in LOADED.items():
        for way, (seeds, drawn_by) in WAYS.items():
            counts = audited(attack, f'dataset = "digits"\n{task}', seeds, drawn_by, audits)
            found.setdefault(row, {})[way] = counts["primary"], audits
    kept.write_text(json.dumps(found))
    return found


def _pool(folder: Path, name: str) -> dict[str, Cell]:
    """What a benchmark found for each of its attacks, and for honest providers where nobody attacks."""
    home = folder / "home"
    subprocess.run(
        [sys.executable, "-m", "auditor", "bench", str(ROOT / "docs" / "benchmarks" / f"{name}.toml")],
        env={**os.environ, "AUDITOR_HOME": str(home)},
        check=True,
    )
    rows = [json.loads(line) for line in (home / "bench" / name / "results.jsonl").read_text().splitlines()]
    found: dict[str, Cell] = {}
    for row in rows:
        if row["kind"] != "setting":
            continue
        found |= {ATTACKS[attack]: (rate["count"], rate["of"]) for attack, rate in row["attacks"].items()}
        if row["malicious"] == 0:
            found[HONEST] = row["false_positives"]["count"], row["false_positives"]["of"]
    return found
