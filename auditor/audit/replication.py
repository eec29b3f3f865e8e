"""One replicated sub-run: its boundaries opened, its replicas executed, its distances judged."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from auditor.audit.decisions.agreement import disagree
from auditor.audit.events import (
    BoundaryOpened,
    DistancesMeasured,
    MetricFailed,
    ModelsSketched,
    ReplicaFailed,
    ReplicaReturned,
    ReplicaStarted,
    SubRunJudged,
    SubRunUndecided,
)
from auditor.audit.following import follow
from auditor.audit.measuring import Measured
from auditor.audit.parties import Party
from auditor.audit.progress import ProgressMeter
from auditor.audit.sequential import primary_is_flagged
from auditor.audit.setting import Setting
from auditor.audit.sketching import packed
from auditor.job.endpoint import LocalEndpoint
from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable
from auditor.providers.hostile_text import cleaned
from auditor.training.errors import CheckpointError


class Replication:
    """Replicates sub-runs; several at a time, each provider executing one at a time."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._measuring = asyncio.Lock()

    async def replicate(self, sub_run: int) -> None:
        """Have a sub-run executed again and judge everybody who took part."""
        setting = self._setting
        start, end = await asyncio.gather(self.open(sub_run), self.open(sub_run + 1))
        if start is None:
            setting.write(SubRunUndecided(sub_run, "the primary did not show the checkpoint that it starts from"))
            return
        if setting.state.boundaries[sub_run].finite is False:
            setting.write(SubRunUndecided(sub_run, "it starts from weights that are not finite numbers"))
            return
        await self._execute_all(sub_run, start)
        if not await self._measure(sub_run, start, end):
            return
        if self._needs_referee(sub_run):
            await self._call_referee(sub_run, start)
            await self._measure(sub_run, start, end)
        await self._judge(sub_run)

    async def open(self, boundary: int) -> Path | None:
        """The checkpoint of a boundary, opened and checked; None when the primary does not show it."""
        setting = self._setting
        async with self._opening[boundary]:
            known = setting.state.boundaries[boundary]
            path = setting.blobs.path(known.digest)
            if path.exists() and (boundary == 0 or known.finite is not None):
                return path
            try:
                moved = await setting.primary.client.open(known.digest, setting.workspace.schema.size, setting.blobs)
                finite = await asyncio.to_thread(setting.workspace.check, path)
            except Unreachable as error:
                setting.give_up(setting.primary, error)
                return None
            except (Misbehaved, Refused, CheckpointError) as error:
                setting.blobs.remove(known.digest)
                self._blame_boundary(boundary, error)
                return None
            setting.write(BoundaryOpened(boundary, known.digest, moved, finite))
            return path

    def _blame_boundary(self, boundary: int, error: Exception) -> None:
        setting = self._setting
        reason = f"did not show what it had committed to at step {setting.boundaries[boundary]}: {error}"
        known = setting.state.provider(setting.primary.name).misbehaviour
        if (None, cleaned(reason)) not in known:
            setting.blame(setting.primary, None, reason)

    async def _execute_all(self, sub_run: int, start: Path) -> None:
        """Have as many replicas as wanted execute the sub-run; each that fails is replaced once, if it can be."""
        setting = self._setting
        done = setting.state.sub_run(sub_run).replicas
        order = [setting.parties[name] for name in setting.selection.replica_order(sub_run)]
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
        async with party.turn:
            try:
                event = await self._returned(sub_run, party, start, meter)
            except ProviderError as error:
                self._failed(sub_run, party, error, meter.reached - step)
                return False
            setting.write(event)
            # Within the turn: the next sub-run may start from the very checkpoint that is let go of here.
            await self._release(party, setting.state.boundaries[sub_run].digest, event.digest)
        return True

    async def _returned(self, sub_run: int, party: Party, start: Path, meter: ProgressMeter) -> ReplicaReturned:
        """Hand a replica the start, follow it to the end, and fetch and check what it made of it."""
        setting, client = self._setting, party.client
        if party.lost is not None:
            raise Unreachable(party.lost)
        digest = setting.state.boundaries[sub_run].digest
        execution = f"{setting.run}.{sub_run}.{list(setting.state.providers).index(party.name)}"
        request = setting.request(execution, digest, sub_run, sub_run + 1)
        setting.write(ReplicaStarted(sub_run, party.name, execution, await client.upload(start, digest)))
        begun = time.monotonic()
        await client.start(request)
        returned = ""
        async for status in follow(
            client,
            request,
            stall_seconds=setting.job.audit.stall_seconds,
            obituary=lambda: setting.parties.obituary(party),
            simulated=lambda: setting.parties.simulated(party),
        ):
            meter.report(status.step, status.loss)
            returned = status.commitments[-1].digest if status.commitments else returned
        seconds = time.monotonic() - begun
        moved = await client.open(returned, setting.workspace.schema.size, setting.blobs)
        try:
            finite = await asyncio.to_thread(setting.workspace.check, setting.blobs.path(returned))
        except CheckpointError as error:
            setting.blobs.remove(returned)
            raise Misbehaved(f"returned something else than a checkpoint of this job: {error}") from None
        return ReplicaReturned(sub_run, party.name, returned, moved, seconds, finite)

    async def _release(self, party: Party, start: str, returned: str) -> None:
        """Let a replica forget what it was given, and what it returned unless its attack is still to be measured."""
        for digest in (start,) if party.provider.attack is not None else (start, returned):
            with suppress(ProviderError):  # it costs the provider some disk, and the audit nothing
                await party.client.release(digest)

    def _failed(self, sub_run: int, party: Party, error: ProviderError, steps: int) -> None:
        setting = self._setting
        if isinstance(error, Misbehaved):
            setting.blame(party, sub_run, error)
        elif isinstance(party.provider.where, LocalEndpoint):
            setting.check_disk()
        if isinstance(error, Unreachable):
            setting.give_up(party, error)
        setting.write(ReplicaFailed(sub_run, party.name, cleaned(error), steps))

    def _needs_referee(self, sub_run: int) -> bool:
        """Whether the primary and its one replica disagree, and nobody else was asked yet."""
        setting = self._setting
        known = setting.state.sub_run(sub_run)
        returned = [name for name, replica in known.replicas.items() if replica.failure is None]
        return setting.job.has_referee and len(returned) == 1 and any(map(disagree, known.matrices))

    async def _call_referee(self, sub_run: int, start: Path) -> None:
        """Have one more provider execute the sub-run: the first that can."""
        setting = self._setting
        for name in setting.selection.replica_order(sub_run):
            party = setting.parties[name]
            known = name in setting.state.sub_run(sub_run).replicas
            if not known and party.lost is None and await self._execute(sub_run, party, start):
                return

    async def _measure(self, sub_run: int, start: Path, end: Path | None) -> bool:
        """Compare what was returned; whether there was enough to compare."""
        setting = self._setting
        returned = self._comparable(sub_run, end)
        if len(returned) < 2:
            reason = "fewer than two providers returned a model that can be compared"
            setting.write(SubRunUndecided(sub_run, reason))
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
        own = [
            {key: value for key, value in asdict(one).items() if key not in ("sub_run", "reference")}
            for one in judgements
            if one.sub_run == sub_run
        ]
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
                result.noise_floor,
                result.seconds,
                result.remarks,
                result.spread,
            )
        )

    def _comparable(self, sub_run: int, end: Path | None) -> dict[str, Path]:
        """The returned models that can be compared, by provider, in the job's order.

        Weights must be finite; and where everybody draws their own seeds, no honest model equals another's.
        """
        setting = self._setting
        digests: dict[str, str] = {}
        if end is not None and setting.state.boundaries[sub_run + 1].finite:
            digests[setting.primary.name] = setting.state.boundaries[sub_run + 1].digest
        for name, replica in setting.state.sub_run(sub_run).replicas.items():
            if replica.digest is not None and replica.finite:
                digests[name] = replica.digest
        if setting.job.audit.randomness == "provider":
            for name in [name for name, digest in digests.items() if list(digests.values()).count(digest) > 1]:
                twin = next(other for other in digests if other != name and digests[other] == digests[name])
                reason = f"returned the same model as {twin} to the last bit, although each draws its own seeds"
                setting.blame(setting.parties[name], sub_run, reason)
            digests = {name: digest for name, digest in digests.items() if list(digests.values()).count(digest) == 1}
        return {name: setting.blobs.path(digests[name]) for name in setting.state.providers if name in digests}
