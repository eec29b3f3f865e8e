"""One replicated sub-run: its boundaries opened, its replicas executed, its distances judged."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.copies import Copies
from auditor.audit.events import (
    DistancesMeasured,
    EqualModels,
    MetricFailed,
    ModelsSketched,
    ReplicaFailed,
    ReplicaReturned,
    ReplicaStarted,
    SubRunJudged,
    SubRunUndecided,
)
from auditor.audit.following import follow
from auditor.audit.handing_out import HandingOut
from auditor.audit.measuring import Measured
from auditor.audit.parties import Party
from auditor.audit.progress import ProgressMeter
from auditor.audit.sequential import primary_is_flagged
from auditor.audit.setting import Setting
from auditor.audit.sketching import packed
from auditor.audit.standing_alone import recorded, thresholds_of
from auditor.audit.verdicts import finite_models
from auditor.base.hostile_text import cleaned
from auditor.base.seeds import Seeds
from auditor.decisions.agreement import disagree
from auditor.providers.errors import Misbehaved, ProviderError, Unreachable
from auditor.tasks.errors import CheckpointError

NOT_FINITE = "weights that are not finite numbers"
COPIED = "returned the checkpoint of step {} that it had received for another sub-run, instead of its own work"
IDLE = "returned the parameters that it had been given, unchanged, where most of the others trained"


class Replication:
    """Replicates sub-runs; several at a time, each provider executing one at a time."""

    def __init__(self, setting: Setting, checkpoints: Checkpoints) -> None:
        self._setting = setting
        self._checkpoints = checkpoints
        self._copies = Copies(setting.workspace.parameters)
        self._order = HandingOut(setting)
        self._measuring = asyncio.Lock()

    async def replicate(self, sub_run: int) -> None:
        """Have a sub-run executed again and judge everybody who took part."""
        try:
            await self._replicate(sub_run)
        finally:
            await self._order.tell()

    async def _replicate(self, sub_run: int) -> None:
        setting, checkpoints = self._setting, self._checkpoints
        start, end = await asyncio.gather(checkpoints.open(sub_run), checkpoints.open(sub_run + 1))
        gone = checkpoints.gone(sub_run) or checkpoints.gone(sub_run + 1)
        if start is None or gone is not None:
            reason = gone or "the primary did not show the checkpoint that the sub-run starts from"
            setting.write(SubRunUndecided(sub_run, reason))
            return
        if setting.state.boundaries[sub_run].finite is False:
            setting.write(SubRunUndecided(sub_run, f"it starts from {NOT_FINITE}"))
            return
        await self._execute_all(sub_run, start)
        if not await self._measure(sub_run, start, end):
            return
        if self._needs_referee(sub_run):
            await self._call_referee(sub_run, start)
            await self._measure(sub_run, start, end)
        await self._judge(sub_run)

    async def _execute_all(self, sub_run: int, start: Path) -> None:
        """Have as many replicas as wanted execute the sub-run; each that fails is replaced once, if it can be."""
        setting = self._setting
        done = setting.state.sub_run(sub_run).replicas
        order = [setting.parties[name] for name in self._order.preferred(sub_run)]
        finished = [party for party in order if party.name in done and done[party.name].over]
        waiting = [party for party in order if party not in finished]
        wanted = max(0, setting.job.replicas - sum(done[party.name].failure is None for party in finished))
        chosen, spares = waiting[:wanted], waiting[wanted:]

        async def execute_or_replace(party: Party) -> None:
            if await self._execute(sub_run, party, start):
                return
            while spares:
                spare = spares.pop(0)
                if spare.lost is None:
                    await self._execute(sub_run, spare, start)
                    return

        await asyncio.gather(*(execute_or_replace(party) for party in chosen))

    async def _execute(self, sub_run: int, party: Party, start: Path) -> bool:
        """Have one replica execute the sub-run; whether it returned something that can be compared."""
        setting = self._setting
        step = setting.boundaries[sub_run]
        meter = ProgressMeter(setting.write, party.name, sub_run, step)
        await self._order.wait(sub_run, party)
        async with party.turn:
            try:
                event = await self._returned(sub_run, party, start, meter)
            except ProviderError as error:
                self._failed(sub_run, party, error, meter.reached - step)
                await self._order.tell()
                return False
            setting.write(event)
            # Within the turn: the next sub-run may start from the very checkpoint that is let go of here.
            await self._release(party, setting.state.boundaries[sub_run].digest, event.digest)
        await self._order.tell()
        return True

    async def _returned(self, sub_run: int, party: Party, start: Path, meter: ProgressMeter) -> ReplicaReturned:
        """Hand a replica the start, follow it to the end, and fetch and check what it made of it."""
        setting, client = self._setting, party.client
        if party.lost is not None:
            raise Unreachable(party.lost)
        digest = setting.state.boundaries[sub_run].digest
        execution = f"{setting.run}.{sub_run}.{list(setting.state.providers).index(party.name)}"
        known = setting.state.sub_run(sub_run).replicas.get(party.name)
        if known is not None:
            execution = known.execution  # an earlier process asked for it, and it may be under way
        elif sub_run in setting.state.provider(party.name).handed:
            execution += f".{setting.state.seq}"  # what it returned was lost; it shall not find that run again
        request = setting.request(party, execution, digest, sub_run, sub_run + 1)
        setting.write(ReplicaStarted(sub_run, party.name, execution, await client.upload(start, digest)))
        begun = time.monotonic()
        await client.start(request)
        returned = ""
        async for status in follow(
            client,
            request,
            stall_seconds=setting.job.audit.stall_seconds,
            waiting_seconds=setting.job.audit.waiting_seconds,
            simulated=lambda: setting.parties.simulated(party),
        ):
            meter.report(status.step, status.loss)
            returned = status.commitments[-1].digest if status.commitments else returned
        seconds = time.monotonic() - begun
        moved = await client.open(returned, setting.workspace.schema.size, setting.blobs)
        path = setting.blobs.path(returned)
        try:
            finite = await self._checkpoints.check(path, setting.boundaries[sub_run + 1])
        except CheckpointError as error:
            setting.blobs.remove(returned)
            raise Misbehaved(f"returned something that is not a checkpoint of this job: {error}") from None
        for step, given in self._handed(sub_run, party).items():
            if await asyncio.to_thread(self._copies.is_copy, start, path, given):
                raise Misbehaved(COPIED.format(step))
        return ReplicaReturned(sub_run, party.name, returned, moved, seconds, finite)

    def _handed(self, sub_run: int, party: Party) -> dict[int, Path]:
        """The checkpoints, by step, that a provider with seeds of its own was given for other sub-runs than this one.

        With the client's seeds its own work is equal to them.
        """
        setting = self._setting
        if setting.job.audit.seeds is Seeds.SHARED:
            return {}
        others = [one for one in setting.state.provider(party.name).handed if one != sub_run]
        given = [setting.state.boundaries[one] for one in others]
        return {one.step: setting.blobs.path(one.digest) for one in given if setting.blobs.has(one.digest)}

    async def _release(self, party: Party, start: str, returned: str) -> None:
        """Let a replica forget what it was given, and what it returned unless its attack is still to be measured."""
        for digest in (start,) if party.provider.attack is not None else (start, returned):
            with suppress(ProviderError):  # it costs the provider some disk, and the audit nothing
                await party.client.release(digest)

    def _failed(self, sub_run: int, party: Party, error: ProviderError, steps: int) -> None:
        setting = self._setting
        if isinstance(error, Misbehaved):
            setting.blame(party, sub_run, error)
        elif party.ours:
            setting.check_disk()
        if isinstance(error, Unreachable):
            setting.give_up(party, error)
        setting.write(ReplicaFailed(sub_run, party.name, cleaned(error), steps))

    def _needs_referee(self, sub_run: int) -> bool:
        """Whether the primary and its one replica disagree, and nobody else was asked yet."""
        setting = self._setting
        known = setting.state.sub_run(sub_run)
        returned = [name for name, replica in known.replicas.items() if replica.failure is None]
        return (
            setting.job.has_referee
            and len(returned) == 1
            and any(disagree(matrix, setting.assumptions) for matrix in known.matrices)
        )

    async def _call_referee(self, sub_run: int, start: Path) -> None:
        """Have one more provider execute the sub-run: the first that can."""
        setting = self._setting
        for name in self._order.preferred(sub_run):
            party = setting.parties[name]
            known = name in setting.state.sub_run(sub_run).replicas
            if not known and party.lost is None and await self._execute(sub_run, party, start):
                return

    async def _measure(self, sub_run: int, start: Path, end: Path | None) -> bool:
        """Compare what was returned; whether there was enough to compare."""
        setting = self._setting
        returned = await self._comparable(sub_run, start, end)
        if len(returned) < 2:
            setting.write(SubRunUndecided(sub_run, self._why_nothing(sub_run)))
            return False
        first, last = setting.boundaries[sub_run : sub_run + 2]
        async with self._measuring:
            results = await setting.workspace.measure(start, returned, first, last - first)
            if setting.choice.budget.adds_up:
                sketches = await setting.workspace.sketch(start, returned)
                setting.write(ModelsSketched(sub_run, tuple(sketches), packed(list(sketches.values()))))
        for result in results:
            self._record(sub_run, result)
        return True

    async def _judge(self, sub_run: int) -> None:
        setting = self._setting
        judgements = await asyncio.to_thread(
            setting.choice.decision.judge, setting.state.matrices(), setting.assumptions
        )
        thresholds = thresholds_of(judgements, setting.choice, setting.assumptions)
        own = [recorded(one, thresholds) for one in judgements if one.sub_run == sub_run]
        setting.write(SubRunJudged(sub_run, tuple(own)))
        if setting.job.audit.stop_early and await asyncio.to_thread(
            primary_is_flagged, setting.state, setting.choice, setting.assumptions
        ):
            setting.settled.set()

    def _record(self, sub_run: int, result: Measured) -> None:
        setting = self._setting
        if result.failure is not None:
            setting.write(MetricFailed(sub_run, result.metric, None, result.failure))
            return
        for provider, reason in result.excluded.items():
            setting.write(MetricFailed(sub_run, result.metric, provider, reason))
        setting.write(
            DistancesMeasured(
                sub_run,
                result.metric,
                result.providers,
                result.values,
                result.noise.floor,
                result.seconds,
                result.remarks,
                result.spread,
                result.noise.size,
                result.noise.source,
            )
        )

    async def _comparable(self, sub_run: int, start: Path, end: Path | None) -> dict[str, Path]:
        """The returned models that can be compared, by provider, in the job's order.

        Weights must be finite; and where everybody draws their own seeds, each model must be its provider's own work.
        """
        setting = self._setting
        known = setting.state.sub_run(sub_run)
        digests: dict[str, str] = {}  # in the order in which they were committed to
        if end is not None and setting.state.boundaries[sub_run + 1].finite:
            digests[setting.primary.name] = setting.state.boundaries[sub_run + 1].digest
        for name, replica in sorted(known.replicas.items(), key=lambda one: one[1].returned):
            if replica.digest is not None and replica.failure is None and replica.finite:
                digests[name] = replica.digest
        paths = {name: setting.blobs.path(digest) for name, digest in digests.items()}
        if setting.job.audit.seeds is Seeds.OWN:
            for name in await asyncio.to_thread(self._copies.idle, start, paths):
                if (sub_run, IDLE) not in setting.state.provider(name).misbehaviour:
                    setting.blame(setting.parties[name], sub_run, IDLE)
                del paths[name]
            for pair in await asyncio.to_thread(self._copies.pairs, start, paths):
                if (pair.first, pair.second, pair.parameters) not in known.equal:
                    setting.write(EqualModels(sub_run, pair.first, pair.second, pair.parameters))
                del paths[pair.second]
        return {name: paths[name] for name in setting.state.providers if name in paths}

    def _why_nothing(self, sub_run: int) -> str:
        """Why there is nothing to compare."""
        finite = finite_models(sub_run, self._setting.state)
        if len(finite) > 1 and not any(finite.values()):
            return f"every provider returned {NOT_FINITE}: the training diverges; a lower learning rate may help"
        return "fewer than two providers returned a comparable model"
