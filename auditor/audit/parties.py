"""The providers of a run, connected: one client each, no matter who started them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from auditor.audit.events import ProviderLost, ProviderReady
from auditor.audit.journal import Journal
from auditor.audit.selection import Selection
from auditor.base.hostile_text import cleaned
from auditor.base.randomness import key
from auditor.job.model import Job
from auditor.job.provider import Provider
from auditor.plugins.catalogue import Catalogue
from auditor.providers.agent.clients import clear_clients
from auditor.providers.client import ProviderClient
from auditor.providers.errors import ProviderError, Unreachable
from auditor.providers.file_names import named_task
from auditor.providers.landlock import landlock_version
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers
from auditor.providers.protocol import Identity

PAUSE = 0.05
NOT_APART = (
    "this system has no Landlock, so a simulated attack could read this audit's files and learn which sub-runs are "
    "replicated"
)


@dataclass
class Party:
    """One provider, as the engine deals with it.

    Attributes:
        provider: from the job.
        client: speaks to it.
        turn: held while it executes a replica; a provider executes one at a time.
        identity: what it said of itself when it was greeted.
        lost: why it was given up, once it was.
    """

    provider: Provider
    client: ProviderClient
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    identity: Identity | None = None
    lost: str | None = None

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def ours(self) -> bool:
        """Whether the client started it on its own machine."""
        return self.provider.where.ours


class Parties:
    """The providers of a job; when the context ends, all are disconnected and those that we started are ended.

    Args:
        job: whose providers.
        selection: the run's secret draws; of these a simulated adversary is told what the metrics draw with.
        folder: of the run, where local providers keep their files.
        downloads: the folder for datasets.
        home: what a simulated adversary must not see, the run's secret in it.
        journal: learns who is ready and who is lost.

    Attributes:
        task: what providers are told of the job's, once they are started: files by what is in them, without paths.
    """

    def __init__(
        self, job: Job, selection: Selection, folder: Path, downloads: Path, home: Path, journal: Journal
    ) -> None:
        self._launches = [
            Launch(
                name=provider.name,
                endpoint=provider.where,
                folder=folder / "providers" / f"{index:02d}",
                seed=key(job.seed, f"provider {provider.name}", 0) % 2**63,
                attack=None if provider.attack is None else provider.attack.table,
                plugins=() if provider.attack is None else job.plugins,
                measurement_seed=None if provider.attack is None else selection.probe_seed(),
                hidden=None if provider.attack is None else home,
            )
            for index, provider in enumerate(job.providers)
        ]
        self._job = job
        self._selection = selection
        self._journal = journal
        self._downloads = downloads
        self.task = job.task
        self._stack = AsyncExitStack()
        self._parties: dict[str, Party] = {}

    async def __aenter__(self) -> Self:
        """Nothing is started yet."""
        return self

    async def start(self) -> None:
        """Start the local providers and connect to all; afterwards each one is ready or lost.

        Raises:
            Unreachable: local providers cannot be started at all.
        """
        self.task, data = await asyncio.to_thread(named_task, self._job.task)
        launches = [replace(launch, data=data) for launch in self._launches]
        self._launchers = await self._stack.enter_async_context(Launchers(launches, self._downloads))
        for provider in self._job.providers:
            client = ProviderClient(
                self._launchers.address(provider.name),
                patience=self._job.audit.stall_seconds,
                word=self._selection.client_word(provider.name),
                why_ended=partial(self._launchers.why_ended, provider.name),
            )
            await self._stack.enter_async_context(client)
            self._parties[provider.name] = Party(provider, client)
        await asyncio.gather(*(self._greet(party) for party in self._parties.values()))

    def announce(self) -> None:
        """Tell the journal who is ready and who is lost."""
        for party in self._parties.values():
            if party.lost is not None:
                self._journal.write(ProviderLost(party.name, party.lost))
            elif party.identity is not None:
                known = party.identity
                device, software = cleaned(known.device, 40), cleaned(known.software, 80)
                self._journal.write(ProviderReady(party.name, device, known.threads, software))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, end the processes that were started, and once there is a verdict free their disk."""
        await self._stack.aclose()
        if self._journal.state.finished is not None:
            for launch in self._launches:
                if launch.endpoint.ours:
                    clear_clients(launch.folder)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client should know of its local providers."""
        if any(launch.hidden is not None for launch in self._launches) and not landlock_version():
            return (NOT_APART,)
        return ()

    def __getitem__(self, name: str) -> Party:
        """The provider with this name."""
        return self._parties[name]

    @property
    def reachable(self) -> list[Party]:
        """Those that are not lost."""
        return [party for party in self._parties.values() if party.lost is None]

    def lose(self, party: Party, reason: object) -> None:
        """Give a provider up, and say so once."""
        if party.lost is None:
            party.lost = cleaned(reason)
            self._journal.write(ProviderLost(party.name, party.lost))

    def simulated(self, party: Party) -> str | None:
        """The attack that the provider carries out on our behalf, with where it comes from; None if there is none."""
        attack = party.provider.attack
        return None if attack is None else str(Catalogue(self._job.plugins).origin("attacks", attack.name))

    async def _greet(self, party: Party) -> None:
        deadline = time.monotonic() + self._launchers.patience(party.name)
        while True:
            try:
                party.identity = await party.client.identity()
                return
            except Unreachable as error:
                words = self._launchers.why_ended(party.name)
                if words is None and time.monotonic() < deadline:
                    await asyncio.sleep(PAUSE)
                    continue
                party.lost = cleaned(words or error)
                return
            except ProviderError as error:
                party.lost = cleaned(f"it does not speak the provider protocol: {error}")
                return
