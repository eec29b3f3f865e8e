"""All providers of a job: those that this process starts and those that stand already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from auditor.job.endpoint import (
    Address,
    Endpoint,
    HttpsEndpoint,
    LocalEndpoint,
    LoopbackEndpoint,
    RegisteredEndpoint,
    SimulatedEndpoint,
    UnixEndpoint,
)
from auditor.providers.errors import Unreachable
from auditor.providers.launcher import Launch, Launcher
from auditor.providers.local_launcher import LocalLauncher
from auditor.providers.simulated.simulated_launcher import SimulatedLauncher


class StandingLauncher(Launcher):
    """Starts nobody: these agents are there already, or they are not."""

    async def start(self) -> None:
        """See `Launcher`."""

    async def end(self) -> None:
        """See `Launcher`."""

    def address(self, name: str) -> Address:
        """See `Launcher`."""
        endpoint = self.launches[name].endpoint
        if isinstance(endpoint, Address):
            return endpoint
        raise Unreachable(f"{name!r} was not looked up among the registered providers before the run was created")


LAUNCHERS: Mapping[type[Endpoint], type[Launcher]] = {
    LocalEndpoint: LocalLauncher,
    SimulatedEndpoint: SimulatedLauncher,
    UnixEndpoint: StandingLauncher,
    HttpsEndpoint: StandingLauncher,
    LoopbackEndpoint: StandingLauncher,
    RegisteredEndpoint: StandingLauncher,
}
"""What starts the providers at each kind of endpoint."""


class Launchers:
    """Starts every provider of a job as its endpoint wants it, and ends them all when the context ends.

    Args:
        launches: whom to start.
        downloads: the folder for datasets.
    """

    def __init__(self, launches: Sequence[Launch], downloads: Path) -> None:
        kinds: dict[type[Launcher], list[Launch]] = {}
        for launch in launches:
            kinds.setdefault(LAUNCHERS[type(launch.endpoint)], []).append(launch)
        made = [(kind(mine, downloads), mine) for kind, mine in kinds.items()]
        self._launchers = [launcher for launcher, _ in made]
        self._of = {launch.name: launcher for launcher, mine in made for launch in mine}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start them.

        Raises:
            Unreachable: those of one kind cannot be started at all.
        """
        try:
            for launcher in self._launchers:
                await launcher.start()
                self._stack.push_async_callback(launcher.end)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process that was started."""
        await self._stack.aclose()

    def address(self, name: str) -> Address:
        """Where a provider listens.

        Raises:
            Unreachable: nobody can know.
        """
        return self._of[name].address(name)

    def why_ended(self, name: str) -> str | None:
        """How a provider's process ended, in words; None while it lives, or where nobody knows."""
        return self._of[name].why_ended(name)

    def patience(self, name: str) -> float:
        """How long a provider may take until it answers, in seconds."""
        return self._of[name].patience
