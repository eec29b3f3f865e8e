"""The providers of a run, connected: one client each, no matter who started them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from auditor.audit.record.events import Event, KeyTrust, ProviderLost, ProviderReady
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
from auditor.providers.known_key import other_key
from auditor.providers.landlock import landlock_version
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers
from auditor.providers.protocol import Identity

PAUSE = 0.05
"""Seconds between two greetings of a local provider that is still starting."""
SECOND_GREETING_SECONDS = 10.0
"""How long a second greeting may take, once this process has time to hear the answer."""
NO_LANDLOCK = (
    "this system has no Landlock, so a simulated attack could read this audit's files and learn which sub-runs are "
    "replicated"
)


@dataclass(frozen=True)
class Connection:
    """One provider, as the engine deals with it. What becomes of it is in the journal.

    Attributes:
        provider: from the job.
        client: speaks to it.
        greeting: what happened when it was greeted: `ProviderReady`, or `ProviderLost`.
        turn: held while it executes a replica; a provider executes one at a time.
        attack: the attack that it simulates, with where that comes from; None where it simulates none.
    """

    provider: Provider
    client: ProviderClient
    greeting: Event
    attack: str | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def ours(self) -> bool:
        """Whether the client started it on its own machine."""
        return self.provider.where.ours


class Connections:
    """The providers of a job; when the context ends, all are disconnected and those that we started are ended.

    Args:
        job: whose providers.
        selection: the run's secret draws; a simulated adversary is given the seed that metrics draw with.
        folder: of the run, where local providers keep their files.
        downloads: the folder for datasets.
        home: what a simulated adversary must not see, the run's secret in it.
        signing_keys: the keys that providers showed earlier in this run, by name.

    Attributes:
        task: the job's task as providers see it, once they are started: files by what is in them, without paths.
    """

    def __init__(
        self,
        job: Job,
        selection: Selection,
        folder: Path,
        downloads: Path,
        home: Path,
        signing_keys: Mapping[str, str],
    ) -> None:
        self._launches = [
            Launch(
                name=provider.name,
                endpoint=provider.where,
                folder=folder / "providers" / f"{index:02d}",
                seed=key(job.seed, f"provider {provider.name}", 0) % 2**63,
                attack=None if provider.attack is None else provider.attack.table,
                plugins=job.plugins if provider.attack is not None or getattr(job.task, "drift", None) else (),
                measurement_seed=None if provider.attack is None else selection.probe_seed(),
                hidden=None if provider.attack is None else home,
            )
            for index, provider in enumerate(job.providers)
        ]
        self._job = job
        self._selection = selection
        self._downloads = downloads
        self._signing_keys = signing_keys
        self.task = job.task
        self._files: dict[str, Path] = {}
        self._stack = AsyncExitStack()
        self._connections: dict[str, Connection] = {}

    async def __aenter__(self) -> Self:
        """Nothing is started yet."""
        return self

    async def start(self) -> None:
        """Start the local providers and greet all.

        Raises:
            Unreachable: local providers cannot be started at all.
        """
        self.task, self._files = await asyncio.to_thread(named_task, self._job.task)
        launches = [replace(launch, data=self._files) for launch in self._launches]
        self._launchers = await self._stack.enter_async_context(Launchers(launches, self._downloads))
        connections = await asyncio.gather(*(self._connect(provider) for provider in self._job.providers))
        self._connections = {connection.name: connection for connection in connections}
        await self._ship()

    async def _ship(self) -> None:
        """Send files to those that are elsewhere; one that does not take them says so when it is to train."""
        if not self.task.ships:
            return
        for connection in self:
            if not connection.ours and isinstance(connection.greeting, ProviderReady):
                with suppress(ProviderError):
                    for name, path in self._files.items():
                        await connection.client.upload(path, name.partition("-")[2])

    async def greet_again(self) -> None:
        """Greet once more those that did not answer.

        While this process imports PyTorch and reads data it may be too busy to hear an answer in time.
        """

        async def greeted(connection: Connection) -> Connection:
            if isinstance(connection.greeting, ProviderReady):
                return connection
            with suppress(ProviderError, TimeoutError):
                async with asyncio.timeout(SECOND_GREETING_SECONDS):
                    known = await connection.client.identity()
                return replace(connection, greeting=self._answered(connection.provider, known))
            return connection

        again = await asyncio.gather(*(greeted(connection) for connection in self))
        self._connections = {connection.name: connection for connection in again}
        await self._ship()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, and end the processes that were started."""
        await self._stack.aclose()

    def clear(self) -> None:
        """Free the disk of the providers that we started; for when there is a verdict and they are ended."""
        for launch in self._launches:
            if launch.endpoint.ours:
                clear_clients(launch.folder)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client should know of its local providers."""
        if any(launch.hidden is not None for launch in self._launches) and not landlock_version():
            return (NO_LANDLOCK,)
        return ()

    def __getitem__(self, name: str) -> Connection:
        """The provider with this name."""
        return self._connections[name]

    def __iter__(self) -> Iterator[Connection]:
        """All providers, in the job's order."""
        return iter(self._connections.values())

    async def _connect(self, provider: Provider) -> Connection:
        client = ProviderClient(
            self._launchers.address(provider.name),
            patience=self._job.audit.stall_seconds,
            word=self._selection.client_word(provider.name),
            why_ended=partial(self._launchers.why_ended, provider.name),
        )
        await self._stack.enter_async_context(client)
        attack = None
        if provider.attack is not None:
            attack = str(Catalogue(self._job.plugins).origin("attacks", provider.attack.name))
        return Connection(provider, client, await self._greet(provider, client), attack)

    async def _greet(self, provider: Provider, client: ProviderClient) -> Event:
        name = provider.name
        deadline = time.monotonic() + self._launchers.patience(name)
        while True:
            try:
                return self._answered(provider, await client.identity())
            except Unreachable as error:
                words = self._launchers.why_ended(name)
                if words is None and time.monotonic() < deadline:
                    await asyncio.sleep(PAUSE)
                    continue
                return ProviderLost(name, cleaned(words or error))
            except ProviderError as error:
                return ProviderLost(name, cleaned(f"it does not speak the provider protocol: {error}"))

    def _answered(self, provider: Provider, identity: Identity) -> Event:
        """What it means that a provider answered; one with another signing key is not taken for the same."""
        name, key = provider.name, identity.signing_key
        if (words := other_key(provider.signing_key or self._signing_keys.get(name), key)) is not None:
            return ProviderLost(name, words)
        trust: KeyTrust = "ours" if provider.where.ours else "first use" if provider.signing_key is None else "pinned"
        device, software = cleaned(identity.device, 40), cleaned(identity.software, 80)
        return ProviderReady(name, device, identity.threads, software, key, None if key is None else trust)
