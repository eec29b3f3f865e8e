"""The primary's training: commitments as they come, and the draw behind each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.events import Committed, Drawn, PrimaryFinished, PrimaryStarted
from auditor.audit.following import follow
from auditor.audit.progress import ProgressMeter
from auditor.audit.sequential import is_unsure
from auditor.audit.setting import Setting
from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable
from auditor.providers.protocol import RunRequest


class PrimaryTraining:
    """Has the primary train, from the start or from where an earlier process left it.

    Args:
        setting: the audit.
        checkpoints: those that the client holds.
        replicate: begins the replication of a sub-run, beside the training.
    """

    def __init__(self, setting: Setting, checkpoints: Checkpoints, replicate: Callable[[int], object]) -> None:
        self._setting = setting
        self._checkpoints = checkpoints
        self._replicate = replicate
        self._anew = False

    async def train(self) -> None:
        """Return when the primary is finished, paused or given up; whatever it does, the audit goes on."""
        setting = self._setting
        party = setting.primary
        if 0 not in setting.state.boundaries:
            digest = setting.workspace.store_initial(setting.blobs)
            setting.write(Committed(boundary=0, step=0, digest=digest, loss=None))
        self._take_up_replications()
        if setting.state.primary_finished or setting.settled.is_set():
            return
        try:
            await self._follow(await self._attach() or await self._start())
        except Misbehaved as error:
            setting.blame(party, None, error)
            setting.parties.lose(party, f"given up because it {error}")
        except (Unreachable, Refused) as error:
            setting.give_up(party, error)

    def _take_up_replications(self) -> None:
        state = self._setting.state
        for sub_run in range(len(self._setting.boundaries) - 1):
            if sub_run + 1 not in state.boundaries:
                return
            if state.sub_run(sub_run).replicated is None:
                self._draw(sub_run)
            elif not state.sub_run(sub_run).over:
                self._replicate(sub_run)

    async def _attach(self) -> RunRequest | None:
        """The request of a run that the primary still executes for an earlier process, if there is one."""
        setting = self._setting
        if setting.state.execution is None:
            return None
        execution, step = setting.state.execution
        try:
            status = await setting.primary.client.status(execution, version=-1, first=0, wait=0)
        except Refused:
            return None
        if status.state in ("failed", "cancelled"):
            return None
        first = setting.boundaries.index(step)
        start = setting.state.boundaries[first].digest
        return setting.request(setting.primary, execution, start, first, len(setting.boundaries) - 1)

    async def _start(self) -> RunRequest:
        """Ask the primary to train from the latest boundary that it or the client still holds."""
        setting = self._setting
        client = setting.primary.client
        self._anew = True
        for boundary in sorted(setting.state.boundaries, reverse=True):
            digest = setting.state.boundaries[boundary].digest
            moved = 0
            if not await client.has(digest):
                path = await self._checkpoints.held(boundary)
                if path is None:
                    continue
                moved = await client.upload(path, digest)
            break
        else:
            raise Unreachable("the checkpoint to resume from is lost")
        step = setting.boundaries[boundary]
        # The sequence number makes the id new even when the same step is started from again.
        execution = f"{setting.run}.primary.{step}.{setting.state.seq}"
        setting.write(PrimaryStarted(setting.primary.name, execution, step, digest, moved))
        request = setting.request(setting.primary, execution, digest, boundary, len(setting.boundaries) - 1)
        await client.start(request)
        return request

    async def _follow(self, request: RunRequest) -> None:
        setting, party = self._setting, self._setting.primary
        meter = ProgressMeter(setting.write, party.name, None, request.start_step)
        begun = time.monotonic()
        statuses = follow(
            party.client,
            request,
            stall_seconds=setting.job.audit.stall_seconds,
            waiting_seconds=setting.job.audit.waiting_seconds,
            simulated=lambda: setting.parties.simulated(party),
        )
        async for status in statuses:
            for commitment in status.commitments:
                boundary = setting.boundaries.index(commitment.step)
                loss = status.loss if commitment is status.commitments[-1] else None
                await self._committed(boundary, commitment.digest, loss)
            meter.report(status.step, status.loss)
            paused = setting.pause.is_set() and bool(status.commitments)
            if (paused or setting.settled.is_set()) and status.state == "training":
                await party.client.cancel(request.id)
                return
        setting.write(PrimaryFinished(party.name, time.monotonic() - begun))

    async def _committed(self, boundary: int, digest: str, loss: float | None) -> None:
        setting = self._setting
        known = setting.state.boundaries.get(boundary)
        if known is not None:
            if known.digest != digest and self._anew:
                # Other hardware or software explains it. But what was committed to once is not replaced: who trains
                # again may know by then which sub-runs were not opened.
                raise Unreachable(
                    f"it trained again from an earlier step and reached a checkpoint at step {known.step} that differs "
                    "from the one it had committed to"
                )
            if known.digest != digest:
                raise Misbehaved(f"committed to a different checkpoint at step {known.step} than before")
            return
        setting.write(Committed(boundary, setting.boundaries[boundary], digest, loss))
        self._draw(boundary - 1)
        await self._release(boundary - 1)

    def _draw(self, sub_run: int) -> None:
        """Draw whether a sub-run is replicated, now that the boundary behind it is committed."""
        setting = self._setting
        taken = sum(setting.state.sub_run(earlier).replicated is True for earlier in range(sub_run))
        unsure = setting.job.audit.replicated_at_most is not None and is_unsure(
            setting.state, setting.choice, setting.assumptions
        )
        replicated = setting.selection.replicated(sub_run, taken, unsure=unsure)
        setting.write(Drawn(sub_run, replicated))
        if replicated:
            self._replicate(sub_run)

    async def _release(self, boundary: int) -> None:
        """Let the primary forget a boundary when neither sub-run beside it is replicated."""
        state = self._setting.state
        beside = [state.sub_run(index).replicated for index in (boundary - 1, boundary) if index >= 0]
        if boundary > 0 and not any(beside):
            with suppress(ProviderError):  # it costs the provider some disk, and the audit nothing
                await self._setting.primary.client.release(state.boundaries[boundary].digest)
