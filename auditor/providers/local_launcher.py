"""Local providers: agents that this process starts, watches and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from auditor.base.cores import usable_cores
from auditor.job.endpoint import UnixEndpoint
from auditor.providers.errors import Unreachable
from auditor.providers.launcher import Launch, Launcher
from auditor.providers.socket_folder import ERRORS, make_socket_folder, remove_socket_folder

START_SECONDS = 120.0
"""PyTorch takes seconds to import, more when the disk is cold."""
END_SECONDS = 8.0


class LocalLauncher(Launcher):
    """Starts a fork server, and in it an agent for each provider on this machine."""

    patience = 30.0
    module: ClassVar[str] = "auditor.providers.fork_server"
    """What is started: it says that it is ready in one line, then takes an order a line until its input closes."""

    def __init__(self, launches: Sequence[Launch], downloads: Path) -> None:
        super().__init__(launches, downloads)
        self._positions = {name: position for position, name in enumerate(self.launches)}
        self._made: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._ended: dict[str, int] = {}

    async def start(self) -> None:
        """See `Launcher`."""
        self._made = make_socket_folder()
        try:
            await self._start()
        except BaseException:
            await self.end()
            raise

    def address(self, name: str) -> UnixEndpoint:
        """See `Launcher`."""
        return UnixEndpoint(self._sockets / f"{self._positions[name]}.sock")

    def why_ended(self, name: str) -> str | None:
        """See `Launcher`."""
        code = self._ended.get(name)
        if code is None:
            return None
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"its process {how}; see {self.launches[name].folder / 'log.txt'}"

    @property
    def _sockets(self) -> Path:
        """The folder that was made for this run's sockets; there is none before the agents are started."""
        if self._made is None:
            raise RuntimeError("local agents were used before they were started")
        return self._made

    async def _start(self) -> None:
        # Where the client keeps its secrets is no business of an launch.
        kept = {name: value for name, value in os.environ.items() if name != "AUDITOR_HOME"}
        environment = kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that the user happens to be in
            "-m",
            self.module,
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
        for launch in self.launches.values():
            await self._order(launch)

    async def _order(self, launch: Launch) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        launch.folder.mkdir(parents=True, exist_ok=True)
        self._process.stdin.write(json.dumps(self.order(launch)).encode() + b"\n")
        await self._process.stdin.drain()

    def order(self, launch: Launch) -> dict[str, Any]:
        """What the process that was started is told of one provider."""
        return {
            "name": launch.name,
            "device": launch.endpoint.device,
            "threads": self._threads(),
            "folder": str(launch.folder),
            "data": {name: str(path) for name, path in launch.data.items()},
            "hidden": None if launch.hidden is None else str(launch.hidden),
            "downloads": str(self.downloads),
            "log": str(launch.folder / "log.txt"),
            "socket": str(self.address(launch.name).path),
            "attack": dict(launch.attack) if launch.attack is not None else None,
            "plugins": [file.model_dump() for file in launch.plugins],
            "measurement_seed": launch.measurement_seed,
            "seed": launch.seed,
        }

    def _threads(self) -> int:
        """An equal share of the cores for each local provider, one at least."""
        return max(1, usable_cores() // len(self.launches))

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "ended" in message:
                self._ended[message["ended"]] = message["code"]
        for name in self.launches:
            self._ended.setdefault(name, -signal.SIGTERM)

    async def end(self) -> None:
        """See `Launcher`."""
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
            self._made = None
