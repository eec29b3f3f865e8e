"""What goes wrong: each kind of fault happens to a running audit at moments that a seed draws."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from tests.faults.processes import Forked
from tests.faults.scene import AGENTS, Scene, flip, paused

EVENTS = 1, 34
"""An audit has about so many events; a fault comes after one of them."""
SMALL_DISK = 0, 700_000
"""Bytes that a file may have on a disk that is full."""

Do = Callable[[Scene], object]


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        do: brings it about, once.
        times: how often at most in one audit.
        spoils: whether whoever it befalls may be given up, so that the verdict need not be the undisturbed one.
        flips: whether a byte in the client's store changes, so that `auditor verify` may rightly say so.
        cuts: whether connections break.
        delays: whether they are slow.
    """

    do: Do
    times: int = 1
    spoils: bool = False
    flips: bool = False
    cuts: bool = False
    delays: bool = False


def some_agent(scene: Scene) -> str:
    return scene.draws.choice(AGENTS)


def kill_agent(scene: Scene) -> None:
    name = some_agent(scene)
    scene.agents[name].kill()
    time.sleep(scene.draws.uniform(0, 1.5))
    scene.restart(name)


def lose_agent(scene: Scene) -> None:
    scene.agents[some_agent(scene)].kill()


def stop_agent(scene: Scene) -> None:
    paused(scene.agents[some_agent(scene)], lambda: time.sleep(scene.draws.uniform(0.2, 4)))


def kill_auditor(scene: Scene) -> None:
    scene.auditor.kill()


def stop_auditor(scene: Scene) -> None:
    paused(scene.auditor, lambda: time.sleep(scene.draws.uniform(0.2, 4)))


def flip_in_store(scene: Scene) -> None:
    if blobs := scene.blobs("auditor"):
        with suppress(FileNotFoundError):
            flip(scene.draws.choice(blobs), scene.draws)


def flip_and_kill(scene: Scene) -> None:
    flip_in_store(scene)
    kill_auditor(scene)


def flip_at_agent(scene: Scene) -> None:
    if blobs := scene.blobs(some_agent(scene)):
        with suppress(FileNotFoundError):
            flip(scene.draws.choice(blobs), scene.draws)


def lock_store(scene: Scene) -> None:
    with (
        closing(sqlite3.connect(scene.home / "auditor.db", timeout=10, isolation_level=None)) as other,
        suppress(sqlite3.OperationalError),  # the auditor holds it all the time, or has not made it yet
    ):
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(scene.draws.uniform(0.2, 6))
        other.execute("ROLLBACK")


def fill_disk(process: Forked, scene: Scene) -> None:
    """Let a process write no large files for a while, as with a quota."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (scene.draws.randint(*SMALL_DISK), hard))
    time.sleep(scene.draws.uniform(0.5, 4))
    if not process.ended():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def everything(scene: Scene) -> None:
    scene.draws.choice([kill_agent, stop_agent, kill_auditor, stop_auditor, lock_store])(scene)


FAULTS = {
    "agent killed, started again": Fault(kill_agent, times=2),
    "agent killed for good": Fault(lose_agent, spoils=True),
    "agent stopped for a while": Fault(stop_agent, times=2),
    "auditor killed": Fault(kill_auditor, times=3),
    "auditor stopped for a while": Fault(stop_auditor, times=2),
    "connections cut": Fault(lambda _: None, cuts=True),
    "connections slow": Fault(lambda _: None, delays=True),
    "bit flipped in the store": Fault(flip_in_store, times=2, flips=True),
    "bit flipped, auditor killed": Fault(flip_and_kill, times=2, flips=True),
    "bit flipped at an agent": Fault(flip_at_agent, times=2, spoils=True),
    "store locked": Fault(lock_store, times=2),
    "disk of the auditor full": Fault(lambda scene: fill_disk(scene.auditor, scene), times=2),
    "disk of an agent full": Fault(lambda scene: fill_disk(scene.agents[some_agent(scene)], scene), spoils=True),
    "several, connections cut": Fault(everything, times=4, cuts=True),
}
"""By name, in the order of the table."""
