"""Following one execution at a provider until it is over, believing nothing that the provider says of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from auditor.providers.client import ProviderClient
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.providers.hostile_text import cleaned
from auditor.providers.protocol import RunRequest, RunStatus

WAIT_SECONDS = 0.5
"""How long the provider holds back its answer while there is no news."""
RETRY_SECONDS = 30.0
"""How long a provider that does not answer is asked again."""
RETRY_PAUSE = 0.2


async def follow(
    client: ProviderClient,
    request: RunRequest,
    *,
    stall_seconds: float,
    obituary: Callable[[], str | None],
    simulated: Callable[[], str | None],
) -> AsyncIterator[RunStatus]:
    """The statuses of a run as they come, each with the commitments that are new; ends when it is finished.

    Args:
        client: speaks to the provider.
        request: the run, started before.
        stall_seconds: without any progress for so long the provider is given up.
        obituary: says how the provider's process ended, if that is known.
        simulated: says which attack we had it carry out, which may be what takes for ever.

    Raises:
        Unreachable: no answer, no progress, or the run was cancelled there.
        Refused: the provider says that it failed.
        Misbehaved: what it says cannot be true.
    """
    version, known, step, moved = -1, 0, request.start_step, time.monotonic()
    while True:
        status = await _patiently(client, request.id, version, known, stall_seconds, obituary)
        _check(status, request, known, step)
        if status.step > step or status.commitments:
            moved = time.monotonic()
        elif time.monotonic() - moved > stall_seconds:
            suspect = f", carrying out {attack}" if (attack := simulated()) else ""
            raise Unreachable(f"no progress for {stall_seconds:g} s at step {step}{suspect}")
        step, version, known = status.step, status.version, known + len(status.commitments)
        yield status
        if status.state == "failed":
            raise Refused(cleaned(f"it failed: {status.error or 'no reason given'}"))
        if status.state == "cancelled":
            raise Unreachable("it cancelled the run")
        if status.state == "finished":
            if known < len(request.boundaries):
                raise Misbehaved("says that it is finished, but did not commit to every boundary")
            return


async def _patiently(
    client: ProviderClient,
    run: str,
    version: int,
    known: int,
    stall_seconds: float,
    obituary: Callable[[], str | None],
) -> RunStatus:
    """Ask, and ask again for a while when no answer comes."""
    deadline = time.monotonic() + min(RETRY_SECONDS, stall_seconds)
    while True:
        try:
            async with asyncio.timeout(max(WAIT_SECONDS + 1, stall_seconds)):
                return await client.status(run, version=version, first=known, wait=WAIT_SECONDS)
        except TimeoutError:
            raise Unreachable(f"no answer for {stall_seconds:g} s") from None
        except Unreachable:
            if (words := obituary()) is not None:
                raise Unreachable(words) from None
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(RETRY_PAUSE)


def _check(status: RunStatus, request: RunRequest, known: int, step: int) -> None:
    if status.id != request.id:
        raise Misbehaved("answered for another run")
    if not step <= status.step <= request.boundaries[-1]:
        raise Misbehaved(f"claims step {status.step} after step {step} of {request.boundaries[-1]}")
    expected = request.boundaries[known : known + len(status.commitments)]
    if tuple(commitment.step for commitment in status.commitments) != expected:
        raise Misbehaved("committed to other boundaries than it was asked for")
