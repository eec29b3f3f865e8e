"""Following one execution at a provider until it is over, believing nothing that the provider says of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from auditor.base.hostile_text import cleaned
from auditor.providers.client import ProviderClient
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.providers.protocol import RunRequest, RunStatus, State
from auditor.providers.signed_commitment import is_signed, statement

WAIT_SECONDS = 0.5
"""How long the provider holds back its answer while there is no news."""
ROUND_SECONDS = 0.05
"""The shortest time between two questions to a provider, even if it claims to have news."""
STARTS_IN_VAIN = 3
"""So often a run is started at a provider that then forgets it, without anything new in between."""
KEY_CHANGED = "it no longer has the signing key that it had, so that another agent may have taken its place"
BEGINNING: dict[State, str] = {"queued": "waiting for its turn", "preparing": "preparing"}
"""What comes before training, in its order."""


async def follow(
    client: ProviderClient,
    request: RunRequest,
    *,
    stall_seconds: float,
    waiting_seconds: float,
    attack: str | None = None,
    signing_key: str | None = None,
) -> AsyncIterator[RunStatus]:
    """The statuses of a run as they come, each with the commitments that are new; ends when it is finished.

    Args:
        client: speaks to the provider.
        request: the run, started before.
        stall_seconds: the provider is given up after training for this long without any progress.
        waiting_seconds: likewise after this much waiting for its turn and preparing together. Both may take long at
            an honest provider: others' runs come first, and data must be read.
        attack: the attack that it simulates on our behalf, which may be why it stalls; None where there is none.
        signing_key: the public key that it signs its commitments with; None where it signs nothing.

    Raises:
        Unreachable: no answer, no progress, or the run was cancelled there; or another agent has taken its place.
        Refused: the provider says that it failed.
        Misbehaved: what it says cannot be true.
    """
    version, known, step = -1, 0, request.start_step
    clock = _Clock(stall_seconds, waiting_seconds)
    while True:
        asked = time.monotonic()
        status = await client.status(request.id, version=version, first=known, wait=WAIT_SECONDS)
        _check(status, request, known, step)
        if signing_key is not None and (fault := _signature_fault(status, request, signing_key)) is not None:
            if (await client.identity()).signing_key != signing_key:
                # An agent that lost its folder, or went back to an older version, says so, and denies nothing.
                raise Unreachable(KEY_CHANGED)
            raise Misbehaved(fault)
        clock.tick(status.state, progress=status.step > step or bool(status.commitments))
        if (overdue := clock.overdue(status.state)) is not None:
            suspect = f" while carrying out {attack}" if attack is not None else ""
            raise Unreachable(f"{overdue} at step {step}{suspect}")
        step, version, known = status.step, status.version, known + len(status.commitments)
        yield status
        if status.state == "failed":
            raise Refused(cleaned(f"it failed: {status.error or 'no reason given'}"))
        if status.state == "cancelled":
            raise Unreachable("it cancelled the run")
        if status.state == "finished":
            if known < len(request.boundaries):
                raise Misbehaved("claims to have finished but did not commit to every boundary")
            return
        await asyncio.sleep(max(0.0, asked + ROUND_SECONDS - time.monotonic()))


class _Clock:
    """How long a run has waited and how long it has stood still. No change of state back and forth turns it back."""

    def __init__(self, stall_seconds: float, waiting_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._waiting_seconds = waiting_seconds
        self._waited = 0.0
        self._still = 0.0
        self._trains = False
        self._read = time.monotonic()

    def tick(self, state: State, *, progress: bool) -> None:
        """Add the time since the last tick to what the run does, as it says."""
        passed = time.monotonic() - self._read
        self._read += passed
        if state in BEGINNING:
            self._waited += passed
        elif progress or not self._trains:
            self._still, self._trains = 0.0, True
        else:
            self._still += passed

    def overdue(self, state: State) -> str | None:
        """What has taken too long, in words."""
        if self._waited > self._waiting_seconds:
            doing = BEGINNING.get(state, "not training")
            return f"still {doing} after {self._waiting_seconds:g} s (audit.waiting_seconds)"
        if self._still > self._stall_seconds:
            return f"no progress for {self._stall_seconds:g} s"
        return None


def _check(status: RunStatus, request: RunRequest, known: int, step: int) -> None:
    if status.id != request.id:
        raise Misbehaved("answered for a different run")
    if not step <= status.step <= request.boundaries[-1]:
        raise Misbehaved(f"claims step {status.step} after step {step} of {request.boundaries[-1]}")
    expected = request.boundaries[known : known + len(status.commitments)]
    if tuple(commitment.step for commitment in status.commitments) != expected:
        raise Misbehaved("committed to boundaries that it was not asked for")


def _signature_fault(status: RunStatus, request: RunRequest, key: str) -> str | None:
    """What is wrong with the signatures of commitments, in words; None where each is by the key."""
    for made in status.commitments:
        if made.signature is None:
            return f"committed to a checkpoint at step {made.step} without a signature, although it has a signing key"
        if not is_signed(key, made.signature, statement(request.id, request.provider, made.step, made.digest)):
            return f"signed its commitment at step {made.step} with something that is not by its signing key"
    return None
