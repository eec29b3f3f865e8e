"""The primary's training: commitments as they come, and the draw behind each of them."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.progress import ProgressMeter
from auditor.audit.record.events import Committed, PrimaryFinished, PrimaryStarted
from auditor.audit.session import Session
from auditor.audit.status_stream import STARTS_IN_VAIN
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.providers.protocol import Commitment, RunRequest, RunStatus

LOADED = "started from an initial state that does not follow from the seed that it disclosed"


class PrimaryTraining:
    """Has the primary train, from the start or from where an earlier process left it.

    Args:
        session: the audit.
        checkpoints: those that the client holds.
        replicate: begins the replication of a sub-run, beside the training.
    """

    def __init__(self, session: Session, checkpoints: Checkpoints, replicate: Callable[[int], object]) -> None:
        self._session = session
        self._checkpoints = checkpoints
        self._replicate = replicate
        self._anew = False

    async def train(self) -> None:
        """Return when the primary is finished, paused or given up; whatever it does, the audit goes on."""
        session = self._session
        primary = session.primary
        await self._checkpoints.commit_initial()
        await self._take_up_replications()
        if session.state.primary_finished or session.settled.is_set():
            return
        try:
            await self._check_start()
            await self._follow_to_the_end(await self._attach() or await self._start())
        except Misbehaved as error:
            session.blame(primary, None, error)
            session.lose(primary, f"given up because it {error}")
        except (Unreachable, Refused) as error:
            session.give_up(primary, error)

    async def _take_up_replications(self) -> None:
        session = self._session
        for sub_run in range(len(session.boundaries) - 1):
            if sub_run + 1 not in session.state.boundaries:
                return
            if session.state.sub_run(sub_run).replicated is None:
                await self._draw(sub_run)
            elif not session.state.sub_run(sub_run).over:
                self._replicate(sub_run)

    async def _attach(self) -> RunRequest | None:
        """The request of a run that the primary still executes for an earlier process, if there is one."""
        session = self._session
        if session.state.execution is None:
            return None
        execution, step = session.state.execution
        try:
            status = await session.primary.client.status(execution, version=-1, first=0, wait=0)
        except Refused:
            return None
        if status.state in ("failed", "cancelled"):
            return None
        first = session.boundaries.index(step)
        start = None if session.state.draws_start else session.state.boundaries[first].digest
        return session.request(session.primary, execution, start, first, len(session.boundaries) - 1)

    async def _start(self) -> RunRequest:
        """Ask the primary to train from the latest boundary that it or the client still holds.

        A primary that draws its own initial state starts from that where there is none.
        """
        session = self._session
        client = session.primary.client
        self._anew = True
        digest: str | None
        boundary = moved = 0
        for boundary in sorted(session.state.boundaries, reverse=True):
            digest = session.state.boundaries[boundary].digest
            moved = 0
            if not await client.has(digest):
                path = await self._checkpoints.held(boundary)
                if path is None:
                    continue
                moved = await client.upload(path, digest)
            break
        else:
            if not session.job.primary_draws_start:
                raise Unreachable("the checkpoint to resume from is lost")
            boundary, moved, digest = 0, 0, None
        step = session.boundaries[boundary]
        # The sequence number makes the id new even when the same step is started from again.
        execution = f"{session.run}.primary.{step}.{session.state.seq}"
        session.write(PrimaryStarted(session.primary.name, execution, step, digest, moved))
        request = session.request(session.primary, execution, digest, boundary, len(session.boundaries) - 1)
        await client.start(request)
        return request

    async def _follow_to_the_end(self, request: RunRequest) -> None:
        """Follow a run; where the primary was started again and has forgotten it, one from its latest boundary."""
        state, in_vain = self._session.state, 0
        while True:
            reached = len(state.boundaries)
            try:
                return await self._follow(request)
            except Refused as error:
                state = self._session.state
                in_vain = in_vain + 1 if len(state.boundaries) == reached else 0
                if not error.forgotten or in_vain == STARTS_IN_VAIN:
                    raise
            request = await self._start()

    async def _follow(self, request: RunRequest) -> None:
        session, primary = self._session, self._session.primary
        meter = ProgressMeter(session.write, primary.name, None, request.start_step)
        begun = time.monotonic()
        async for status in session.follow(primary, request):
            await self._heed_seed(status)
            for commitment in status.commitments:
                boundary = bisect_left(session.boundaries, commitment.step)  # `follow` checked that it is one
                loss = status.loss if commitment is status.commitments[-1] else None
                await self._committed(boundary, commitment, loss)
            meter.report(status.step, status.loss)
            paused = session.pause.is_set() and bool(status.commitments)
            if (paused or session.settled.is_set()) and status.state == "training":
                await primary.client.cancel(request.id)
                return
        session.write(PrimaryFinished(primary.name, time.monotonic() - begun))

    async def _heed_seed(self, status: RunStatus) -> None:
        """Take the seed that the primary draws for all; it must say which before it commits to anything, and once."""
        session = self._session
        if not session.job.primary_discloses:
            return
        known = session.state.disclosed
        if known is None and status.seed is not None:
            await session.disclosed(status.seed)
        elif known is not None and status.seed not in (None, known):
            raise Misbehaved("disclosed another seed than before")
        elif known is None and status.commitments:
            raise Misbehaved("committed to a checkpoint before it disclosed the seed that it drew")

    async def _check_start(self) -> None:
        """Make sure that the initial state of a primary that disclosed its seed follows from that seed."""
        session = self._session
        if not (session.job.primary_discloses and session.job.primary_draws_start and 0 in session.state.boundaries):
            return
        if session.state.compared is None:
            await self._checkpoints.compare_start()
        compared = session.state.compared
        if compared is not None and not compared.agrees:
            raise Misbehaved(LOADED)

    async def _committed(self, boundary: int, commitment: Commitment, loss: float | None) -> None:
        session, digest = self._session, commitment.digest
        known = session.state.boundaries.get(boundary)
        if known is not None:
            if known.digest != digest and self._anew:
                # Other hardware or software explains it. But what was committed to once is not replaced: a primary
                # that trains again may know by then which sub-runs were not opened.
                raise Unreachable(
                    f"it trained again from an earlier step and reached a checkpoint at step {known.step} that differs "
                    "from the one it had committed to"
                )
            if known.digest != digest:
                raise Misbehaved(f"committed to a different checkpoint at step {known.step} than before")
            return
        signature = session.checked_signature(session.primary, commitment)
        session.write(Committed(boundary, session.boundaries[boundary], digest, loss, signature))
        if boundary == 0:
            await self._check_start()
            return
        await self._draw(boundary - 1)
        await self._checkpoints.release_boundary(boundary - 1)

    async def _draw(self, sub_run: int) -> None:
        if await self._session.draw(sub_run):
            self._replicate(sub_run)
