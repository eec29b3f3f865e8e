"""The checkpoints of an audit: opened, checked, released and delivered; fetched again where the client's copy broke."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from auditor.audit.connections import Connection
from auditor.audit.record.events import BoundaryOpened, CheckpointDamaged, Committed, ModelDelivered, StartCompared
from auditor.audit.session import Session
from auditor.audit.workspace import Workspace
from auditor.base.hostile_text import cleaned
from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable
from auditor.store import BlobFolder
from auditor.tasks.errors import CheckpointError
from auditor.tasks.known_values import TOLERANCE

ATTEMPTS = 3
"""So often a checkpoint is fetched that is gone again before it was checked."""

DAMAGED = "the client's copy of a checkpoint was damaged and could not be fetched again"
NOT_SHOWN = "did not show the checkpoint that it had committed to"
UNTRAINABLE = "committed to a checkpoint that no training of this job produces"


class Checkpoints:
    """Gives paths to checkpoints whose bytes are those of their digests.

    Args:
        session: the audit.
        workspace: knows what a checkpoint of the job looks like.
        blobs: the checkpoints that the client holds.
    """

    def __init__(self, session: Session, workspace: Workspace, blobs: BlobFolder) -> None:
        self._session = session
        self._workspace = workspace
        self._blobs = blobs
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._checking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refused: dict[tuple[str, int], str] = {}
        self._accepted: set[str] = set()
        self._gone: dict[int, str] = {}

    async def commit_initial(self) -> None:
        """Take the checkpoint of step 0 for boundary 0, if the client makes it and no earlier process did."""
        if self._is_ours(0) and 0 not in self._session.state.boundaries:
            digest = await asyncio.to_thread(self._workspace.store_initial, self._blobs)
            self._session.write(Committed(boundary=0, step=0, digest=digest, loss=None))

    async def open(self, boundary: int) -> Path | None:
        """The checkpoint of a boundary, opened and checked; None when it cannot be had.

        The primary is blamed when it cannot show what it committed to, or when that is no checkpoint of the job; but
        not for what it has shown once, nor where the disk is this machine's.
        """
        session = self._session
        async with self._opening[boundary]:
            if boundary in self._gone:
                return None
            known = session.state.boundaries[boundary]
            shown = self._is_ours(boundary) or known.finite is not None
            if await self.held(boundary) is not None and shown:
                return self.path(known.digest)
            try:
                moved, finite = await self._fetch_checked(session.primary, known.digest, known.step)
            except Unreachable as error:
                session.give_up(session.primary, error)
                return None
            except (Misbehaved, Refused, CheckpointError) as error:
                if shown:
                    self._gone[boundary] = DAMAGED
                elif isinstance(error, Refused):  # its disk may have failed, which accuses nobody
                    self._gone[boundary] = f"the primary could not show its checkpoint of step {known.step}: {error}"
                else:
                    self._blame(known.step, error)
                return None
            if not self._is_ours(boundary):
                session.write(BoundaryOpened(boundary, known.digest, moved, finite))
            return self.path(known.digest)

    async def held(self, boundary: int) -> Path | None:
        """The checkpoint of a boundary if the client has it, unharmed; one that it made it can compute anew."""
        known = self._session.state.boundaries[boundary]
        if await self._has(known.digest):
            return self.path(known.digest)
        if (self._is_ours(boundary) or known.finite is not None) and not known.damaged:
            self._session.write(CheckpointDamaged(known.digest, known.step, None, None))
        if self._is_ours(boundary):
            made = await asyncio.to_thread(self._workspace.store_initial, self._blobs)
            if made == known.digest:
                return self.path(known.digest)
            self._blobs.remove(made)  # other software draws other weights
        return None

    async def compare_start(self) -> None:
        """Hold the initial state that the primary committed to against what its disclosed seed gives, and record it.

        Digests are compared first. Other software may draw numbers that differ in their last digits, so that tensors
        are looked at before anybody is blamed.

        Raises:
            Unreachable: the digests differ, and the primary does not show the state.
        """
        session, workspace = self._session, self._workspace
        known = session.state.boundaries[0]
        expected, difference = await asyncio.to_thread(workspace.initial_digest), 0.0
        if expected != known.digest:
            path = await self.open(0)
            if path is None:
                raise Unreachable(
                    "it did not show its initial state, whose digest is not that of the seed that it disclosed"
                )
            difference = await asyncio.to_thread(workspace.off_initial, path)
        session.write(StartCompared(known.digest, expected, difference, difference <= TOLERANCE))

    def path(self, digest: str) -> Path:
        """Where a checkpoint that the client holds is."""
        return self._blobs.path(digest)

    def gone(self, boundary: int) -> str | None:
        """Why a boundary cannot be had though the primary is not to blame; None where that is not so."""
        return self._gone.get(boundary)

    async def fetch_returned(self, replica: Connection, digest: str, step: int) -> tuple[int, bool]:
        """Fetch what a replica returned: the bytes that travelled, and whether it holds finite numbers only.

        Raises:
            Misbehaved: it is no checkpoint of this job at this step.
            ProviderError: it cannot be had.
        """
        try:
            return await self._fetch_checked(replica, digest, step)
        except CheckpointError as error:
            raise Misbehaved(f"returned something that is not a checkpoint of this job: {error}") from None

    async def handed(self, replica: Connection, *, but: int) -> dict[int, Path]:
        """The checkpoints that a provider was given to start sub-runs from, by step; not that of the sub-run `but`."""
        state = self._session.state
        starts = [state.boundaries[sub_run] for sub_run in state.provider(replica.name).handed if sub_run != but]
        return {start.step: self.path(start.digest) for start in starts if await self._has(start.digest)}

    async def take_stock(self) -> None:
        """Look for the models that replicas returned before this process began; done before anybody works on.

        What is damaged is fetched again. A replica that no longer has it executes its sub-run again.
        """
        session = self._session
        for index, sub_run in list(session.state.sub_runs.items()):
            if sub_run.over:
                continue
            for name, replica in sub_run.replicas.items():
                if replica.digest is None or await self._has(replica.digest):
                    continue
                try:
                    await self._fetch(session.connections[name], replica.digest)
                except (Unreachable, Refused, Misbehaved):
                    step = session.boundaries[index + 1]
                    session.write(CheckpointDamaged(replica.digest, step, index, name))

    async def release_boundary(self, boundary: int) -> None:
        """Let the primary forget a boundary when neither sub-run beside it is replicated."""
        state = self._session.state
        beside = [state.sub_run(index).replicated for index in (boundary - 1, boundary) if index >= 0]
        if not self._is_ours(boundary) and not any(beside):
            await self._release(self._session.primary, state.boundaries[boundary].digest)

    async def release_replica(self, replica: Connection, start: str, returned: str) -> None:
        """Let a replica forget what it was given, and what it returned unless its attack is still to be measured."""
        await self._release(replica, start)
        if replica.provider.attack is None:
            await self._release(replica, returned)

    async def deliver(self) -> None:
        """Open the checkpoint of the last step, which is the model that the client gets."""
        session = self._session
        last = len(session.boundaries) - 1
        final = session.state.boundaries[last]
        path = await self.open(last)
        if path is None:
            if (reason := self.gone(last)) is not None:
                session.lose(session.primary, f"it did not deliver its model: {reason}")
            return
        accuracy = await asyncio.to_thread(self._workspace.accuracy, path)
        session.write(ModelDelivered(final.step, final.digest, str(path), 0, accuracy))

    def _is_ours(self, boundary: int) -> bool:
        """Whether the client made a boundary's checkpoint, rather than the primary."""
        return boundary == 0 and not self._session.job.primary_draws_start

    async def _has(self, digest: str) -> bool:
        return await asyncio.to_thread(self._blobs.has, digest)

    async def _fetch(self, connection: Connection, digest: str) -> int:
        return await connection.client.open(digest, self._workspace.schema.size, self._blobs)

    async def _fetch_checked(self, connection: Connection, digest: str, step: int) -> tuple[int, bool]:
        """Fetch a checkpoint: the bytes that travelled, and whether it holds finite numbers only.

        One that is none of the job at this step is removed, if it came just now. Who commits to a digest may mean a
        checkpoint that the client has from somebody else, and must not take that away.

        Raises:
            CheckpointError: it is none of this job at this step.
            ProviderError: it cannot be had.
        """
        held, moved = await self._has(digest), 0
        for _ in range(ATTEMPTS):
            moved += await self._fetch(connection, digest)
            # Not around the transfer: who is slow would hold up all that commit to the same digest.
            async with self._checking[digest]:
                if (fault := self._refused.get((digest, step))) is not None:
                    raise CheckpointError(fault)
                if not await self._has(digest):
                    continue  # somebody meant another step by it, and it was removed
                try:
                    finite = await asyncio.to_thread(self._workspace.check, self.path(digest), step)
                except CheckpointError as error:
                    self._refused[digest, step] = str(error)
                    if not held and digest not in self._accepted:
                        self._blobs.remove(digest)
                    raise
                self._accepted.add(digest)
                return moved, finite
        raise Unreachable("what it committed to could not be kept")

    async def _release(self, connection: Connection, digest: str) -> None:
        with suppress(ProviderError):  # it costs the provider some disk, and the audit nothing
            await connection.client.release(digest)

    def _blame(self, step: int, error: Exception) -> None:
        session = self._session
        words = UNTRAINABLE if isinstance(error, CheckpointError) else NOT_SHOWN
        reason = f"{words} at step {step}: {error}"
        known = session.state.provider(session.primary.name).misbehaviour
        if (None, cleaned(reason)) not in known:
            session.blame(session.primary, None, reason)
