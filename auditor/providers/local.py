"""Local providers: agents that this process starts, watches and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from auditor.job.endpoint import UnixEndpoint
from auditor.job.plugin_file import PluginFile
from auditor.providers.errors import Unreachable
from auditor.providers.socket_folder import ERRORS, make_socket_folder, remove_socket_folder

START_SECONDS = 120.0
"""PyTorch takes seconds to import, more when the disk is cold."""
END_SECONDS = 8.0


@dataclass(frozen=True)
class LocalAgent:
    """A local provider to start.

    Attributes:
        name: the provider's.
        device: `cpu` or `cuda:N`.
        folder: where it keeps its checkpoints, and its log as `log.txt`.
        attack: what it simulates, if anything.
        measurement_seed: of the client's metrics, for a simulated adversary that is assumed to know it.
        seed: of its own draws.
        plugins: files that the attack may come from, beside installed packages.
        data: files of the task, by what `auditor.providers.naming` calls them.
        hidden: a folder that is kept out of its reach, but for its own, where the system can do that.
    """

    name: str
    device: str
    folder: Path
    attack: Mapping[str, Any] | None
    measurement_seed: int | None
    seed: int
    plugins: tuple[PluginFile, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)
    hidden: Path | None = None


class LocalAgents:
    """Starts a fork server and an agent for each local provider; ends them all when the context ends.

    Args:
        agents: whom to start.
        downloads: the folder for datasets.
    """

    def __init__(self, agents: Sequence[LocalAgent], downloads: Path) -> None:
        self._agents = {agent.name: agent for agent in agents}
        self._downloads = downloads
        self._made: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._ended: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        """Start them.

        Raises:
            Unreachable: the fork server does not come up.
        """
        if not self._agents:
            return self
        self._made = make_socket_folder()
        try:
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process that was started."""
        await self._end()

    def endpoint(self, name: str) -> UnixEndpoint:
        """Where a local provider listens."""
        position = list(self._agents).index(name)
        return UnixEndpoint(self._sockets / f"{position}.sock")

    def obituary(self, name: str) -> str | None:
        """How a local provider's process ended, in words; None while it lives."""
        code = self._ended.get(name)
        if code is None:
            return None
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"its process {how}; see {self._agents[name].folder / 'log.txt'}"

    @property
    def _sockets(self) -> Path:
        """The folder that was made for this run's sockets; there is none before the agents are started."""
        if self._made is None:
            raise RuntimeError("local agents were used before they were started")
        return self._made

    async def _start(self) -> None:
        # Where the client keeps its secrets is no business of an agent.
        kept = {name: value for name, value in os.environ.items() if name != "AUDITOR_HOME"}
        environment = kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that the user happens to be in
            "-m",
            "auditor.providers.fork_server",
            str(self._sockets),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=(self._sockets / ERRORS).open("wb"),
            env=environment,
            start_new_session=True,  # a terminal's Ctrl-C is for us; we end them in order
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_SECONDS)
        except TimeoutError:
            raise Unreachable(f"local providers did not start within {START_SECONDS:g} s") from None
        if not line:
            reason = (self._sockets / ERRORS).read_text(errors="replace").strip().rpartition("\n")[2]
            raise Unreachable(f"local providers cannot be started: {reason or 'their process ended'}")
        self._listener = asyncio.create_task(self._listen())
        for agent in self._agents.values():
            await self._order(agent)

    async def _order(self, agent: LocalAgent) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        agent.folder.mkdir(parents=True, exist_ok=True)
        order = {
            "name": agent.name,
            "device": agent.device,
            "threads": self._threads(),
            "folder": str(agent.folder),
            "data": {name: str(path) for name, path in agent.data.items()},
            "hidden": None if agent.hidden is None else str(agent.hidden),
            "downloads": str(self._downloads),
            "log": str(agent.folder / "log.txt"),
            "socket": str(self.endpoint(agent.name).path),
            "attack": dict(agent.attack) if agent.attack is not None else None,
            "plugins": [file.model_dump() for file in agent.plugins],
            "measurement_seed": agent.measurement_seed,
            "seed": agent.seed,
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    def _threads(self) -> int:
        """An equal share of the cores for each local provider, one at least."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // len(self._agents))

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "ended" in message:
                self._ended[message["ended"]] = message["code"]
        for name in self._agents:
            self._ended.setdefault(name, -signal.SIGTERM)

    async def _end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            if self._listener is None and self._process.returncode is None:
                self._process.terminate()  # it still imports, would notice only later, and has started nobody
            try:
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._listener is not None:
            await self._listener
        if self._made is not None:
            remove_socket_folder(self._made)
