"""One replicated sub-run: its boundaries opened, its replicas executed, its models compared and judged."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.comparison import NOT_FINITE, Comparison
from auditor.audit.connections import Connection
from auditor.audit.copies import Copies
from auditor.audit.handover import Handover
from auditor.audit.progress import ProgressMeter
from auditor.audit.record.events import ReplicaFailed, ReplicaReturned, ReplicaStarted, SubRunUndecided
from auditor.audit.session import Session
from auditor.audit.status_stream import STARTS_IN_VAIN
from auditor.base.hostile_text import cleaned
from auditor.base.seeds import Seeds
from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable
from auditor.providers.protocol import Commitment, RunRequest

COPIED = "returned the checkpoint of step {} that it had received for another sub-run, instead of its own work"


class Replication:
    """Replicates sub-runs; several at a time, each provider executing one at a time.

    Args:
        session: the audit.
        checkpoints: those that the client holds.
        comparison: compares what is returned.
        copies: knows equal models.
    """

    def __init__(self, session: Session, checkpoints: Checkpoints, comparison: Comparison, copies: Copies) -> None:
        self._session = session
        self._checkpoints = checkpoints
        self._comparison = comparison
        self._copies = copies
        self._handover = Handover(session)

    async def replicate(self, sub_run: int) -> None:
        """Have a sub-run executed again and judge every provider that took part."""
        try:
            await self._replicate(sub_run)
        finally:
            await self._handover.notify()

    async def _replicate(self, sub_run: int) -> None:
        session, checkpoints, comparison = self._session, self._checkpoints, self._comparison
        start, end = await asyncio.gather(checkpoints.open(sub_run), checkpoints.open(sub_run + 1))
        gone = checkpoints.gone(sub_run) or checkpoints.gone(sub_run + 1)
        if start is None or gone is not None:
            reason = gone or "the primary did not show the checkpoint that the sub-run starts from"
            session.write(SubRunUndecided(sub_run, reason))
            return
        if session.state.boundaries[sub_run].finite is False:
            session.write(SubRunUndecided(sub_run, f"it starts from {NOT_FINITE}"))
            return
        await self._execute_all(sub_run, start)
        if not await comparison.compare(sub_run, start, end):
            return
        if self._needs_referee(sub_run):
            await self._call_referee(sub_run, start)
            await comparison.compare(sub_run, start, end)
        await session.judge(sub_run)

    async def _execute_all(self, sub_run: int, start: Path) -> None:
        """Have as many replicas as wanted execute the sub-run; each that fails is replaced once, if it can be."""
        session = self._session
        done = session.state.sub_run(sub_run).replicas
        order = [session.connections[name] for name in self._handover.preferred(sub_run)]
        finished = [replica for replica in order if replica.name in done and done[replica.name].over]
        waiting = [replica for replica in order if replica not in finished]
        wanted = max(0, session.job.replicas - sum(done[replica.name].failure is None for replica in finished))
        chosen, spares = waiting[:wanted], waiting[wanted:]

        async def execute_or_replace(replica: Connection) -> None:
            if await self._execute(sub_run, replica, start):
                return
            while spares:
                spare = spares.pop(0)
                if session.lost(spare) is None:
                    await self._execute(sub_run, spare, start)
                    return

        await asyncio.gather(*(execute_or_replace(replica) for replica in chosen))

    async def _execute(self, sub_run: int, replica: Connection, start: Path) -> bool:
        """Have one replica execute the sub-run; whether it returned something that can be compared."""
        session = self._session
        step = session.boundaries[sub_run]
        meter = ProgressMeter(session.write, replica.name, sub_run, step)
        await self._handover.wait(sub_run, replica)
        async with replica.turn:
            try:
                event = await self._returned(sub_run, replica, start, meter)
            except ProviderError as error:
                self._failed(sub_run, replica, error, meter.reached - step)
                await self._handover.notify()
                return False
            session.write(event)
            # Within the turn: the next sub-run may start from the very checkpoint that is released here.
            given = session.state.boundaries[sub_run].digest
            await self._checkpoints.release_replica(replica, given, event.digest)
        await self._handover.notify()
        return True

    async def _returned(self, sub_run: int, replica: Connection, start: Path, meter: ProgressMeter) -> ReplicaReturned:
        """Hand a replica the start, follow it to the end, and fetch and check what it made of it."""
        session, client, checkpoints = self._session, replica.client, self._checkpoints
        if (reason := session.lost(replica)) is not None:
            raise Unreachable(reason)
        digest = session.state.boundaries[sub_run].digest
        execution = self._execution_id(sub_run, replica)
        request = session.request(replica, execution, digest, sub_run, sub_run + 1)
        session.write(ReplicaStarted(sub_run, replica.name, execution, await client.upload(start, digest)))
        begun = time.monotonic()
        made = await self._executed(replica, request, start, meter)
        seconds, returned = time.monotonic() - begun, made.digest
        moved, finite = await checkpoints.fetch_returned(replica, returned, session.boundaries[sub_run + 1])
        if session.job.audit.seeds is Seeds.OWN:  # with shared seeds its own work equals what it was handed
            for step, given in (await checkpoints.handed(replica, but=sub_run)).items():
                if await asyncio.to_thread(self._copies.is_copy, start, checkpoints.path(returned), given):
                    raise Misbehaved(COPIED.format(step))
        signature = session.checked_signature(replica, made)
        return ReplicaReturned(sub_run, replica.name, returned, moved, seconds, finite, signature)

    async def _executed(
        self, replica: Connection, request: RunRequest, start: Path, meter: ProgressMeter
    ) -> Commitment:
        """What a replica commits to in the end; one that was started again and has forgotten the run begins it anew."""
        session, client = self._session, replica.client
        for left in reversed(range(STARTS_IN_VAIN)):
            made: Commitment | None = None
            try:
                await client.start(request)
                async for status in session.follow(replica, request):
                    meter.report(status.step, status.loss)
                    made = status.commitments[-1] if status.commitments else made
                break
            except Refused as error:
                if not error.forgotten or not left:
                    raise
            await client.upload(start, session.state.boundaries[session.boundaries.index(request.start_step)].digest)
        if made is None:
            raise RuntimeError("a run does not finish before it committed to every boundary")
        return made

    def _execution_id(self, sub_run: int, replica: Connection) -> str:
        """What a replica knows its run by."""
        session = self._session
        known = session.state.sub_run(sub_run).replicas.get(replica.name)
        if known is not None:
            return known.execution  # an earlier process asked for it, and it may be under way
        execution = f"{session.run}.{sub_run}.{list(session.state.providers).index(replica.name)}"
        if sub_run in session.state.provider(replica.name).handed:
            execution += f".{session.state.seq}"  # what it returned was lost; it shall not find that run again
        return execution

    def _failed(self, sub_run: int, replica: Connection, error: ProviderError, steps: int) -> None:
        session = self._session
        if isinstance(error, Misbehaved):
            session.blame(replica, sub_run, error)
        else:
            session.excuse(replica)
        if isinstance(error, Unreachable):
            session.lose(replica, error)
        session.write(ReplicaFailed(sub_run, replica.name, cleaned(error), steps))

    def _needs_referee(self, sub_run: int) -> bool:
        """Whether the primary and its one replica disagree, and nobody else was asked yet."""
        session = self._session
        known = session.state.sub_run(sub_run)
        returned = [name for name, replica in known.replicas.items() if replica.failure is None]
        return session.job.has_referee and len(returned) == 1 and session.disagree(sub_run)

    async def _call_referee(self, sub_run: int, start: Path) -> None:
        """Have one more provider execute the sub-run: the first that can."""
        session = self._session
        for name in self._handover.preferred(sub_run):
            referee = session.connections[name]
            known = name in session.state.sub_run(sub_run).replicas
            if not known and session.lost(referee) is None and await self._execute(sub_run, referee, start):
                return
