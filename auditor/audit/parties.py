"""The providers of a run, connected: one client each, whoever started them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from auditor.audit.events import ProviderLost, ProviderReady
from auditor.audit.journal import Journal
from auditor.job.endpoint import HttpsEndpoint, LocalEndpoint, UnixEndpoint
from auditor.job.model import Job, Provider
from auditor.plugins.randomness import key
from auditor.providers.client import ProviderClient
from auditor.providers.errors import ProviderError, Unreachable
from auditor.providers.hostile_text import cleaned
from auditor.providers.local import LocalAgent, LocalAgents

READY_SECONDS = 30.0
"""How long a provider that we started may take until it answers."""
PAUSE = 0.05


@dataclass
class Party:
    """One provider, as the engine deals with it.

    Attributes:
        provider: from the job.
        client: speaks to it.
        turn: held while it executes a replica; a provider executes one at a time.
        lost: why it was given up, once it was.
    """

    provider: Provider
    client: ProviderClient
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    lost: str | None = None

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name


class Parties:
    """Starts the local providers of a job and connects to all; ends and disconnects when the context ends.

    Args:
        job: whose providers.
        folder: of the run, where local providers keep their files.
        downloads: the folder for datasets.
        journal: learns who is ready and who is lost.
    """

    def __init__(self, job: Job, folder: Path, downloads: Path, journal: Journal) -> None:
        local = [
            LocalAgent(
                name=provider.name,
                device=provider.where.device,
                folder=folder / "providers" / f"{index:02d}",
                attack=None if provider.attack is None else {"name": provider.attack.name, **provider.attack.options},
                seed=key(job.seed, f"provider {provider.name}", 0) % 2**63,
            )
            for index, provider in enumerate(job.providers)
            if isinstance(provider.where, LocalEndpoint)
        ]
        self._job = job
        self._journal = journal
        self._local = LocalAgents(local, downloads)
        self._stack = AsyncExitStack()
        self._parties: dict[str, Party] = {}

    async def __aenter__(self) -> Self:
        """Start and connect; afterwards each provider is ready or lost.

        Raises:
            Unreachable: local providers cannot be started at all.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._local)
            for provider in self._job.providers:
                client = await stack.enter_async_context(ProviderClient(self._endpoint(provider)))
                self._parties[provider.name] = Party(provider, client)
            await asyncio.gather(*(self._greet(party) for party in self._parties.values()))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, and end the processes that were started."""
        await self._stack.aclose()

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

    def obituary(self, party: Party) -> str | None:
        """How the provider's process ended, if we started it and it ended."""
        return self._local.obituary(party.name) if isinstance(party.provider.where, LocalEndpoint) else None

    def _endpoint(self, provider: Provider) -> UnixEndpoint | HttpsEndpoint:
        where = provider.where
        return self._local.endpoint(provider.name) if isinstance(where, LocalEndpoint) else where

    async def _greet(self, party: Party) -> None:
        started_by_us = isinstance(party.provider.where, LocalEndpoint)
        deadline = time.monotonic() + (READY_SECONDS if started_by_us else 0)
        while True:
            try:
                identity = await party.client.identity()
                break
            except Unreachable as error:
                words = self.obituary(party)
                if words is None and time.monotonic() < deadline:
                    await asyncio.sleep(PAUSE)
                    continue
                self.lose(party, words or error)
                return
            except ProviderError as error:
                self.lose(party, f"it does not speak the provider protocol: {error}")
                return
        self._journal.write(
            ProviderReady(
                party.name,
                cleaned(identity.device, 40),
                min(identity.threads, 2**31),
                cleaned(identity.software, 80),
            )
        )
