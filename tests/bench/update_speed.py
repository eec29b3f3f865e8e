"""`update` on large checkpoints, against reading the same files with `sha256sum`.

Writes checkpoints of the wanted size, of tensors of 256 MiB, and compares all pairs of them: once together, as an
audit does, and once pair by pair. `sha256sum` reads the same files in the same run, each measurement when all files
are in memory, the best of three. Memory is what the process has beside mapped files (RssAnon), at its highest above
what it had before.

    python -m tests.bench.update_speed [--models 2 4] [--gibibytes 1.0] [--folder /var/tmp]
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import torch
from torch import nn

from auditor.plugins import create_plugin
from auditor.tasks.checkpoint import Schema, encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.network import Network
from tests.memory import Memory

SIDE = 8192


def best(measured: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        measured()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def write(path: Path, network: Network, schema: Schema, seed: int, start: dict[str, torch.Tensor]) -> None:
    """A checkpoint whose tensors are those of `start` with noise."""
    draws = torch.Generator().manual_seed(seed)
    with path.open("wb") as file:
        for piece in encode({n: t + 0.001 * torch.randn(t.shape, generator=draws) for n, t in start.items()}, schema):
            file.write(piece)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--gibibytes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    rows = max(1, round(arguments.gibibytes * 2**30 / 4 / SIDE))
    with torch.device("meta"):
        layers = [nn.Linear(SIDE, min(SIDE, rows - done), bias=False) for done in range(0, rows, SIDE)]
        network = cast(Network, SimpleNamespace(model=nn.ModuleList(layers)))
    shapes = {f"model.{name}": parameter.shape for name, parameter in network.model.named_parameters()}
    start = {name: torch.randn(shape, generator=torch.Generator().manual_seed(0)) for name, shape in shapes.items()}
    schema = Schema.of(start)
    print(f"checkpoints of {schema.size / 2**30:.2f} GiB; all in memory; best of 3; {torch.get_num_threads()} threads")
    print(
        f"{'models':>6}{'pairs':>6}{'sha256sum':>11}{'update':>9}{'ratio':>7}{'by pairs':>10}{'ratio':>7}{'memory':>9}"
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        paths = [Path(folder) / str(index) for index in range(max(arguments.models) + 1)]
        for seed, path in enumerate(paths):
            write(path, network, schema, seed, start)
        del start
        for count in arguments.models:
            row(paths[0], paths[1 : count + 1], network, schema)


def row(start: Path, paths: list[Path], network: Network, schema: Schema) -> None:
    metric = create_plugin("metrics", "update", {})
    seen = [metric.represent(CheckpointModel(path, start, schema, network)) for path in paths]
    subprocess.run(["/usr/bin/env", "cat", start, *paths], stdout=subprocess.DEVNULL, check=True)
    with Memory() as memory:
        together = best(lambda: metric.compare(seen))
    pairs = list(combinations(seen, 2))
    apart = best(lambda: [metric.distance(first, second) for first, second in pairs])
    digests = best(lambda: subprocess.run(["/usr/bin/env", "sha256sum", *paths], stdout=subprocess.DEVNULL, check=True))
    print(
        f"{len(paths):6}{len(pairs):6}{digests:9.2f} s{together:7.2f} s{together / digests:7.2f}"
        f"{apart:8.2f} s{apart / digests:7.2f}{memory.grown / 2**20:5.1f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
