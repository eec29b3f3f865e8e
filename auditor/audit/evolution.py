"""Evolving jobs: every update is an audit of its own, which starts from what the one before it delivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from pathlib import Path

from auditor.audit.chain_verdicts import chain_cost, chain_verdicts
from auditor.audit.engine import REQUEST_SECONDS, run_audit
from auditor.audit.record.events import AuditFinished, Event, RunInterrupted, RunResumed, RunStarted
from auditor.audit.record.findings import Outcome
from auditor.audit.record.fold import fold
from auditor.audit.record.journal import Entry, Journal
from auditor.audit.record.state import AuditState
from auditor.audit.record.update_events import UpdateFinished, UpdateStarted
from auditor.audit.side_thread import call_in_side_thread
from auditor.audit.stream_data import StreamData, look_at_data
from auditor.audit.update_measurement import MeasuredModels, measure_update
from auditor.base.randomness import key
from auditor.job.evolution import Evolution, update_job
from auditor.job.model import Job
from auditor.planning.choice import choose
from auditor.store import RunRecord, Store, StoreError


async def run_evolution(run: RunRecord, job: Job, store: Store) -> AsyncGenerator[Entry, None]:
    """Carry out an evolving job, or what is left of it, and yield every event of it and of its updates.

    Args:
        run: of the whole; the run of each update is made when the update begins.
        job: an evolving one.
        store: where they are kept.

    Raises:
        TooFewProviders, TrainingError, PluginError, StoreError: as an audit; the updates so far are kept.
        ValueError: the job does not evolve.
    """
    if job.evolution is None:
        raise ValueError("this job does not evolve")
    with store.lock(run.id):
        chain = Chain(run, job, job.evolution, store)
        heeding = asyncio.create_task(chain.heed_requests())
        try:
            async with aclosing(chain.carry_out()) as entries:
                async for entry in entries:
                    yield entry
        finally:
            heeding.cancel()


class Chain:
    """The updates of an evolving job, carried out one after another.

    Args:
        run: of the whole.
        job: what evolves.
        evolution: how.
        store: where everything is kept.
    """

    def __init__(self, run: RunRecord, job: Job, evolution: Evolution, store: Store) -> None:
        self._run = run
        self._job = job
        self._evolution = evolution
        self._store = store
        self._journal = Journal(store, run.id)
        self._current: str | None = None
        store.clear_requests(run.id)

    @property
    def state(self) -> AuditState:
        """The state of the whole after its latest event."""
        return self._journal.state

    async def heed_requests(self) -> None:
        """Ask of the update under way what other processes ask of the whole."""
        passed: set[tuple[str, str]] = set()
        while True:
            if self._current is not None:
                for action in ("pause", "cancel"):
                    wanted = (self._current, action)
                    if action in self._store.requests(self._run.id) and wanted not in passed:
                        passed.add(wanted)
                        self._store.request(self._current, action)
            await asyncio.sleep(REQUEST_SECONDS)

    async def carry_out(self) -> AsyncGenerator[Entry, None]:
        """Go through the updates that have not ended, then give the verdicts."""
        if self.state.finished is not None and not self.state.can_go_on:
            return
        looked = await call_in_side_thread(partial(look_at_data, self._job, self.state, self._store.downloads))
        if self.state.started is not None:
            yield await self._write(RunResumed())
        else:
            for event in (self._started(looked), *looked.read):
                yield await self._write(event)
        try:
            for update in range(self._evolution.updates + 1):
                if self._has_delivered(update):
                    continue
                if self._settled or self._store.requests(self._run.id):
                    break
                async with aclosing(self._execute(update, looked.samples_of(update))) as entries:
                    async for entry in entries:
                        yield entry
                if not self._has_delivered(update):
                    break
        except asyncio.CancelledError:
            self._journal.write(RunInterrupted())
            raise
        yield await self._write(self._end())

    async def _execute(self, update: int, samples: int | None) -> AsyncGenerator[Entry, None]:
        """Carry out one update, or what is left of it."""
        before = self._delivered_run(update - 1) if update > 0 else None
        job = update_job(self._job, update, before.id if before is not None else None, samples)
        job = job if before is None else self._expecting_keys(job, before)
        run = self._run_of(update, job, before)
        if update not in self.state.updates:
            drift = getattr(job.task, "drift", None)
            words = None if drift is None else f"{drift.name} by {drift.amount:g}"
            yield await self._write(UpdateStarted(update, run.id, job.training.steps, words))
        self._current = run.id
        async with aclosing(run_audit(run, job, self._store)) as entries:
            async for entry in entries:
                yield entry
        self._current = None
        audit = fold(self._store.events(run.id))
        if audit.finished is None:
            return
        if audit.delivered is not None and self.state.updates[update].measured is None:
            seed = key(int.from_bytes(self._run.secret, "big"), "inspection", update) % 2**63
            models = MeasuredModels(update, Path(audit.delivered.path), self._first(audit), seed)
            measured = partial(measure_update, self._job, job, models, self._store.downloads)
            yield await self._write(await call_in_side_thread(measured))
        digest = audit.delivered.digest if audit.delivered is not None else None
        ended = audit.finished
        yield await self._write(UpdateFinished(update, run.id, ended.outcome, ended.providers, ended.cost, digest))

    async def _write(self, event: Event) -> Entry:
        self._journal.write(event)
        entry = await self._journal.next()
        assert entry is not None  # the journal is never closed here
        return entry

    # What is known

    def _finished(self, update: int) -> UpdateFinished | None:
        known = self.state.updates.get(update)
        return None if known is None else known.finished

    def _has_delivered(self, update: int) -> bool:
        ended = self._finished(update)
        return ended is not None and ended.digest is not None

    @property
    def _settled(self) -> bool:
        """Whether no more updates are wanted, as a provider was flagged."""
        return self._evolution.stop_when_flagged and any(
            known.finished is not None and known.finished.outcome == "flagged" for known in self.state.updates.values()
        )

    def _end(self) -> Event:
        """The verdicts; or that the whole was interrupted, where an update neither ended nor is unwanted."""
        begun = sorted(self.state.updates.items())
        ended = [known.finished for _, known in begun if known.finished is not None]
        complete = len(ended) == self._evolution.updates + 1 or self._settled or not self._has_delivered(len(ended) - 1)
        if not ended or len(ended) < len(begun) or not complete:
            return RunInterrupted()
        outcomes = {update.outcome for update in ended}
        outcome: Outcome = "flagged" if "flagged" in outcomes else "clean" if outcomes == {"clean"} else "inconclusive"
        return AuditFinished(outcome, chain_verdicts(ended, self._evolution.updates + 1), chain_cost(self.state))

    def _first(self, present: AuditState) -> Path:
        """The model of update 0."""
        ended = self._finished(0)
        if ended is None:  # update 0 is the present one
            assert present.delivered is not None
            return Path(present.delivered.path)
        return self._model(ended)

    # Runs of updates

    def _expecting_keys(self, job: Job, before: RunRecord) -> Job:
        """The job of an update, whose providers must still have the signing keys of the update before."""
        shown = fold(self._store.events(before.id))
        providers = [
            provider
            if provider.where.ours or provider.signing_key is not None
            else provider.model_copy(update={"signing_key": shown.provider(provider.name).signing_key})
            for provider in job.providers
        ]
        return job.model_copy(update={"providers": tuple(providers)})

    def _run_of(self, update: int, job: Job, before: RunRecord | None) -> RunRecord:
        for known in self._store.updates(self._run.id):
            if known.update == update:
                return known
        parent = None if before is None else before.id
        return self._store.create_update(self._run, update, job.model_dump_json(), parent)

    def _delivered_run(self, update: int) -> RunRecord:
        """The run of an update that has ended, whose model is still there.

        Raises:
            StoreError: the run or its model is gone.
        """
        ended = self._finished(update)
        if ended is None:
            raise ValueError(f"update {update} has not ended")
        self._model(ended)
        found = next((run for run in self._store.updates(self._run.id) if run.id == ended.run), None)
        if found is None:
            raise self._gone(ended)
        return found

    def _model(self, ended: UpdateFinished) -> Path:
        blobs = self._store.blobs(ended.run)
        if ended.digest is None or not blobs.has(ended.digest):
            raise self._gone(ended)
        return blobs.path(ended.digest)

    def _gone(self, ended: UpdateFinished) -> StoreError:
        return StoreError(
            f"the model that update {ended.update} delivered is gone from run {ended.run}, or it is damaged, so that "
            "later updates have nothing to start from. Restore the files of that run, or start the job again with "
            "`auditor run`."
        )

    # The beginning

    def _started(self, looked: StreamData) -> RunStarted:
        job, choice = self._job, choose(self._job)
        jobs = [
            update_job(job, number, None, looked.samples_of(number)) for number in range(self._evolution.updates + 1)
        ]
        return RunStarted(
            name=job.name,
            primary=job.primary.name,
            replicas=tuple(provider.name for provider in job.others),
            steps=sum(one.training.steps for one in jobs),
            sub_run_steps=job.audit.sub_run_steps,
            sub_runs=sum(one.sub_runs for one in jobs),
            decision=choice.decision.name,
            reason=choice.reason,
            warnings=choice.warnings,
            materials=looked.materials,
        )
