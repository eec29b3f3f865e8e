"""What checkpoints larger than usual cost on their way through an audit, in time and in memory.

Three providers return a checkpoint of random numbers, of which one tensor is nearly all. Each goes through what an
audit does with it, on this machine: it is committed to (written and hashed), sent to an agent, opened (fetched and
hashed), and checked (frame, step, finite numbers). Then the metric `update` compares the three. Beside it: `sha256sum`
and `cp` of the same files. With `--interrupted`, one is sent and opened once more through a proxy that breaks the
connection halfway, which says how many bytes travelled.

Peak memory is VmHWM, all that is resident: what is mapped from files and libraries is in it. It is set back before
every stage. A process that has imported PyTorch has about 500 MB before it does anything.

    python -m tests.bench.large_checkpoints [--gigabytes 1] [--folder FOLDER] [--interrupted]

It needs six times that on the disk, and cleans up.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import uvicorn
from torch import Tensor

from auditor.job.endpoint import UnixEndpoint
from auditor.plugins import create_plugin
from auditor.providers.agent.app import make_app
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.limits import WITHOUT_LIMITS
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.client import ProviderClient
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import CheckpointFile, Schema, all_finite, encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.known_values import KnownValues
from tests.providers.cutting_proxy import CuttingProxy

PROVIDERS = 3
STEP = 10
WORD = "w" * 16
PIECE = 1 << 22
NAMES = ("model.large", "model.small")


@dataclass
class Row:
    """A stage: what it took over all files."""

    stage: str
    seconds: float = 0.0
    client: int = 0
    agent: int = 0
    travelled: int = 0


class Table:
    """The stages so far, of each the sum of the seconds and the highest memory.

    Args:
        agent: the number of the agent's process.
    """

    def __init__(self, agent: int) -> None:
        self._agent = agent
        self.rows: dict[str, Row] = {}

    async def time(self, stage: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do the work of a stage."""
        row = self.rows.setdefault(stage, Row(stage))
        for process in ("self", self._agent):
            Path(f"/proc/{process}/clear_refs").write_text("5")
        begun = time.perf_counter()
        result = await work()
        row.seconds += time.perf_counter() - begun
        row.client = max(row.client, peak())
        row.agent = max(row.agent, peak(self._agent))
        return result

    def print(self, size: int) -> None:
        """Write it out."""
        print(f"{PROVIDERS} checkpoints of {size / 1e9:.2f} GB\n")
        print("| stage | s | of sha256sum | of cp | GB/s | client, MB | agent, MB |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for row in self.rows.values():
            shares = [f"{row.seconds / self.rows[one].seconds:.2f}" for one in ("sha256sum", "cp")]
            rate = PROVIDERS * size / row.seconds / 1e9
            print(
                f"| {row.stage} | {row.seconds:.2f} | {' | '.join(shares)} | {rate:.2f} "
                f"| {row.client / 1e6:.0f} | {row.agent / 1e6:.0f} |"
            )


def peak(process: int | str = "self") -> int:
    """VmHWM of a process, in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class Tensors(Evaluator):
    """Knows what is a parameter, and computes nothing."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        return NAMES

    @property
    def buffers(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        return ()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Evaluator`."""


def schema_of(size: int) -> Schema:
    """A schema of about that many bytes."""
    empty = {"model.large": (size // 4096 // 1024, 1024, 1024), "model.small": (1000,)}
    tensors = {name: torch.empty(shape, device="meta") for name, shape in empty.items()}
    return Schema.of(tensors | {"step": torch.empty((), dtype=torch.int64, device="meta")})


def make(path: Path, schema: Schema, seed: int) -> None:
    """Write a checkpoint of random numbers."""
    draws, left = np.random.default_rng(seed), schema.size - len(schema.header) - 8
    with path.open("wb") as file:
        file.write(schema.header + STEP.to_bytes(8, "little"))
        while left:
            piece = draws.standard_normal(min(left // 4, PIECE), dtype=np.float32)
            file.write(piece.data)
            left -= piece.nbytes
        os.fsync(file.fileno())


def serve(folder: Path, ready: Connection) -> None:
    """Be an agent."""
    torch.set_num_threads(1)
    settings = AgentSettings("agent", "cpu", 1, folder / "agent", folder, limits=WITHOUT_LIMITS)
    config = uvicorn.Config(make_app(settings), uds=str(folder / "socket"), log_level="error", lifespan="off")
    ready.send(os.getpid())
    uvicorn.Server(config).run()


async def measure(folder: Path, size: int, *, interrupted: bool, agent: int) -> None:
    """Take all checkpoints through all stages, and print the table."""
    schema, table, blobs = schema_of(size), Table(agent), BlobFolder(folder / "blobs")
    known, digests, source = KnownValues({}, {}), list[str](), folder / "source"
    owed = Clients(folder / "owed", WITHOUT_LIMITS)
    async with ProviderClient(UnixEndpoint(folder / "socket"), word=WORD) as client:
        for number in range(1 + PROVIDERS):
            make(source, schema, number)
            if number == 0:
                digests.append(await asyncio.to_thread(blobs.add, encode(CheckpointFile(source, schema), schema)))
                continue
            await table.time("sha256sum", lambda: run("sha256sum", source))
            await table.time("cp", lambda: run("cp", source, folder / "copy"))
            (folder / "copy").unlink()
            pieces = encode(CheckpointFile(source, schema), schema)
            digest = await table.time("commit", lambda: asyncio.to_thread(owed.keep, WORD, pieces))  # noqa: B023
            owed.blobs(WORD).clear()
            await table.time("send", lambda: client.upload(source, digest))  # noqa: B023
            if interrupted and number == PROVIDERS:
                await interrupt(folder, table, source, digest, schema.size)
            source.unlink()
            await table.time("open", lambda: client.open(digest, schema.size, blobs))  # noqa: B023
            await client.release(digest)
            await table.time("check", lambda: asyncio.to_thread(check, blobs.path(digest), schema, known))  # noqa: B023
            digests.append(digest)
    start, *returned = (blobs.path(digest) for digest in digests)
    await table.time("update", lambda: asyncio.to_thread(compare, start, returned, schema))
    table.print(schema.size)


async def interrupt(folder: Path, table: Table, source: Path, digest: str, size: int) -> None:
    """Send a checkpoint and fetch it through a connection that breaks halfway."""
    for up in (True, False):
        proxy = CuttingProxy(folder / "socket", cuts=(size // 2,), up=up)
        server = await proxy.serve(folder / "proxy")
        async with ProviderClient(UnixEndpoint(folder / "proxy"), word=("u" if up else "w") * 16) as client:
            begun = time.perf_counter()
            if up:
                await client.upload(source, digest)
                await client.release(digest)
            else:
                await client.open(digest, size, BlobFolder(folder / "interrupted"))
                shutil.rmtree(folder / "interrupted")
        server.close()
        (folder / "proxy").unlink()
        what, took = "sent" if up else "opened", time.perf_counter() - begun
        print(f"{what} with a break halfway: {proxy.passed:,} bytes travelled of {size:,}; {took:.2f} s", flush=True)


def check(path: Path, schema: Schema, known: KnownValues) -> None:
    """What the client checks itself."""
    file = CheckpointFile(path, schema)
    known.check(file, STEP)
    assert all_finite(file)


def compare(start: Path, returned: list[Path], schema: Schema) -> None:
    """The metric `update`."""
    metric = create_plugin("metrics", "update", {})
    models = [CheckpointModel(path, start, schema, Tensors()) for path in returned]
    print([list(row) for row in metric.compare([metric.represent(model) for model in models]).distances], flush=True)


async def run(*command: str | Path) -> None:
    """A program of the system."""
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=subprocess.DEVNULL)
    assert await process.wait() == 0


def agents(folder: Path) -> Iterator[int]:
    """An agent in a process of its own, while this is not exhausted."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, there))
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def main() -> None:
    """Measure, and clean up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--interrupted", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for agent in agents(folder):
            while not (folder / "socket").exists():
                time.sleep(0.05)
            size = int(arguments.gigabytes * 1e9)
            with suppress(KeyboardInterrupt):
                asyncio.run(measure(folder, size, interrupted=arguments.interrupted, agent=agent))


if __name__ == "__main__":
    main()
