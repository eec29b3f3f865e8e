"""Trying a provider out: whether it answers, what it is, and how long an answer takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from auditor.base.hostile_text import cleaned
from auditor.job.endpoint import Endpoint
from auditor.providers.client import ProviderClient
from auditor.providers.errors import ProviderError, Unreachable
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers

PROBED = "probe"
"""What the provider is called meanwhile."""


@dataclass(frozen=True)
class Probe:
    """What a provider answered.

    Attributes:
        device: with what it computes, as it says.
        threads: likewise.
        software: likewise.
        seconds: the round trip of a small question.
        signing_key: the public key that it signs commitments with; None where it signs nothing.
    """

    device: str
    threads: int
    software: str
    seconds: float
    signing_key: str | None


async def probe(endpoint: Endpoint) -> Probe:
    """Ask a provider who it is; an agent is started for a local one, and ended again.

    Raises:
        ProviderError: it cannot be reached, or what answers is not a provider.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="auditor-probe-")))
        launch = Launch(PROBED, endpoint, folder / "agent")
        launchers = await stack.enter_async_context(Launchers([launch], folder))
        client = await stack.enter_async_context(ProviderClient(launchers.address(PROBED)))
        await _until_up(client, launchers)
        await client.identity()  # the first question also pays for the connection
        began = time.perf_counter()
        identity = await client.identity()
        seconds = time.perf_counter() - began
    device, software = cleaned(identity.device, 40), cleaned(identity.software, 80)
    return Probe(device, identity.threads, software, seconds, identity.signing_key)


async def _until_up(client: ProviderClient, launchers: Launchers) -> None:
    deadline = time.monotonic() + launchers.patience(PROBED)
    while True:
        try:
            await client.identity()
        except ProviderError:
            if (words := launchers.why_ended(PROBED)) is not None:
                raise Unreachable(words) from None
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return
