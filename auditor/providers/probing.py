"""Trying a provider out: whether it answers, what it is, and how long an answer takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from auditor.job.endpoint import LocalEndpoint, RegisteredEndpoint, parse_endpoint
from auditor.providers.client import ProviderClient
from auditor.providers.errors import ProviderError, Unreachable
from auditor.providers.hostile_text import cleaned
from auditor.providers.local import LocalAgent, LocalAgents

START_SECONDS = 60.0
"""How long an agent that we started may take until it answers."""


@dataclass(frozen=True)
class Probe:
    """What a provider answered.

    Attributes:
        device: with what it computes, as it says.
        threads: likewise.
        software: likewise.
        seconds: the round trip of a small question.
    """

    device: str
    threads: int
    software: str
    seconds: float


async def probe(endpoint: str) -> Probe:
    """Ask a provider who it is; an agent is started for a local one, and ended again.

    Raises:
        ProviderError: it cannot be reached, or what answers is not a provider.
    """
    where = parse_endpoint(endpoint)
    async with AsyncExitStack() as stack:
        if isinstance(where, RegisteredEndpoint):
            raise Unreachable(f"{endpoint!r} is a name, not an address")
        if isinstance(where, LocalEndpoint):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="auditor-probe-")))
            agent = LocalAgent("probe", where.device, folder / "agent", attack=None, measurement_seed=None, seed=0)
            agents = await stack.enter_async_context(LocalAgents([agent], folder))
            client = await stack.enter_async_context(ProviderClient(agents.endpoint(agent.name)))
            await _until_up(client, agents, agent.name)
        else:
            client = await stack.enter_async_context(ProviderClient(where))
        await client.identity()  # the first question also pays for the connection
        began = time.perf_counter()
        identity = await client.identity()
        seconds = time.perf_counter() - began
    return Probe(cleaned(identity.device, 40), identity.threads, cleaned(identity.software, 80), seconds)


async def _until_up(client: ProviderClient, agents: LocalAgents, name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            await client.identity()
        except ProviderError:
            if (words := agents.obituary(name)) is not None:
                raise Unreachable(words) from None
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return
