"""One audit of a small training at three agents, and what can be done to it while it runs."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.command import job_text
from tests.faults.network import bad_network
from tests.faults.processes import Forked, answers, command, forked, until

AGENTS = ("a", "b", "c")
STALL_SECONDS = 20
STEPS, SUB_RUN_STEPS = 40, 10


class Scene:
    """Agents and an auditor, in a folder of their own.

    Args:
        seed: of every draw.
        deviant: the agent that multiplies its checkpoints; None where all are honest.
        cuts: whether connections break.
        delays: whether what goes over them is held back.

    Attributes:
        draws: what happens is drawn from here.
        resumed: how often the audit was resumed.
    """

    def __init__(self, seed: int, *, deviant: str | None = None, cuts: bool = False, delays: bool = False) -> None:
        self.draws = random.Random(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="faults-"))
        self.home = self.folder / "home"
        self.resumed = 0
        self._deviant = deviant
        self._network = cuts or delays
        self._environment = {"AUDITOR_HOME": str(self.home)}
        self.agents = {name: self._agent(name) for name in AGENTS}
        if self._network:
            self._proxies = [
                forked(
                    bad_network(
                        self.folder / f"{name}.net", self.socket(name), seed + number, cuts=cuts, delays=delays
                    ),
                    self.folder,
                    f"net-{name}",
                    {},
                )
                for number, name in enumerate(AGENTS)
            ]
        else:
            self._proxies = []
        reached = {name: self.folder / f"{name}.net" if self._network else self.socket(name) for name in AGENTS}
        for path in (*reached.values(), *map(self.socket, AGENTS)):
            until(lambda path=path: answers(path), f"an answer at {path.name}")  # type: ignore[misc]
        (self.folder / "job.toml").write_text(
            job_text(
                AGENTS,
                endpoints={name: f"unix:{path}" for name, path in reached.items()},
                steps=STEPS,
                sub_run_steps=SUB_RUN_STEPS,
                audit=f"fixed_selection = [0, 2]\nstall_seconds = {STALL_SECONDS}",
            )
        )
        self.auditor = self._auditor("run", "job.toml", "--json")

    def __enter__(self) -> Self:
        """The scene itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes; what is in the folder goes."""
        for process in (self.auditor, *self._proxies, *self.agents.values()):
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def socket(self, name: str) -> Path:
        """Where an agent listens."""
        return self.folder / f"{name}.s"

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """The events that the auditor told of so far; a line that a kill cut off is none."""
        path = self.folder / "auditor.out"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    @property
    def narration(self) -> str:
        """What all processes said to stderr."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.err")))

    def blobs(self, where: str) -> list[Path]:
        """The checkpoints at an agent, or at the `auditor`."""
        pattern = "home/runs/*/blobs/*" if where == "auditor" else f"state-{where}/clients/*/blobs/*"
        return sorted(path for path in self.folder.glob(pattern) if len(path.name) == 64)

    def reach(self, events: int) -> bool:
        """Wait until the auditor told of so many events; whether it did before it ended."""
        until(lambda: len(self.acknowledged) >= events or self.auditor.ended(), f"{events} events")
        return not self.auditor.ended()

    def restart(self, name: str) -> None:
        """Start an agent again, in the folder of the one that was killed."""
        self.agents[name] = self._agent(name)
        until(lambda: answers(self.socket(name)), f"{name} to listen again")

    def resume(self) -> None:
        """Go on with the audit, whose process ended; one that did not get so far as to have a run begins anew."""
        self.resumed += 1
        known = bool(list(self.home.glob("runs/*"))) and bool(self.acknowledged)
        self.auditor = self._auditor(*(("resume", "last") if known else ("run", "job.toml")), "--json")

    def _auditor(self, *arguments: str) -> Forked:
        return forked(command(arguments), self.folder, "auditor", self._environment)

    def _agent(self, name: str) -> Forked:
        state = self.folder / f"state-{name}"
        arguments = ["agent", "--socket", str(self.socket(name)), "--folder", str(state), "--threads", "1"]
        run = deviating(command(arguments)) if name == self._deviant else command(arguments)
        return forked(run, self.folder, f"agent-{name}", self._environment)


def deviating(run: Callable[[], None]) -> Callable[[], None]:
    """An agent whose parameters are larger than they should be."""

    def serve() -> None:
        from auditor.tasks.trainer import Trainer
        from tests.hostile_agents import scaled

        Trainer.checkpoint = scaled(Trainer.checkpoint, 1.5)  # type: ignore[method-assign, assignment]
        run()

    return serve


def paused(process: Forked, seconds: Callable[[], None]) -> None:
    """Stop a process, do something, and let it go on."""
    process.signal(signal.SIGSTOP)
    try:
        seconds()
    finally:
        process.signal(signal.SIGCONT)


def flip(path: Path, draws: random.Random) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        place = draws.randrange(max(1, os.fstat(file.fileno()).st_size))
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ (1 << draws.randrange(8))]) if byte else b"x")
