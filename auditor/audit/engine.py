"""The engine: carries an audit out, from its first event or from wherever an earlier process was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from auditor.audit.apart import call_apart
from auditor.audit.checkpoints import Checkpoints
from auditor.audit.closing import Closing
from auditor.audit.events import RunInterrupted, RunResumed, RunStarted
from auditor.audit.journal import Entry, Journal
from auditor.audit.lineage import initial_checkpoint
from auditor.audit.materials import Materials
from auditor.audit.parties import Parties
from auditor.audit.primary import PrimaryTraining
from auditor.audit.replication import Replication
from auditor.audit.selection import Selection
from auditor.audit.sequential import primary_is_flagged
from auditor.audit.setting import Setting
from auditor.audit.workspace import Workspace
from auditor.job.model import Job
from auditor.planning.choice import assumptions_of, choose
from auditor.store import RunRecord, Store

REQUEST_SECONDS = 0.3
"""How often the store is asked whether somebody wants the run to pause or to stop."""


class TooFewProviders(Exception):  # noqa: N818 - the name reads as what it is
    """So few providers could be reached that there is nothing to compare."""


async def run_audit(run: RunRecord, job: Job, store: Store) -> AsyncGenerator[Entry, None]:
    """Carry out an audit, or what is left of it, and yield every event once it is durable.

    The generator holds the run's lock. Closing it, or cancelling what iterates it, ends every process that was
    started and leaves a run that can be resumed.

    Raises:
        TooFewProviders: there is no primary, or there are too few others.
        TrainingError, PluginError: the dataset, the model or a plugin cannot be had.
        StoreError: the store cannot be written, or another process executes the run.
    """
    with store.lock(run.id):
        journal = Journal(store, run.id)
        store.clear_requests(run.id)
        pause = asyncio.Event()
        work = asyncio.create_task(_carry_out(run, job, store, journal, pause))
        heeding = asyncio.create_task(_heed_requests(run, store, work, pause))
        try:
            while (entry := await journal.next()) is not None:
                yield entry
            await work
        finally:
            heeding.cancel()
            if not work.done():
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work


async def _heed_requests(run: RunRecord, store: Store, work: asyncio.Task[None], pause: asyncio.Event) -> None:
    """Do what other processes ask of this run through the store: to pause, or to stop at once."""
    while not work.done():
        requests = store.requests(run.id)
        if "pause" in requests:
            pause.set()
        if "cancel" in requests:
            work.cancel()
            return
        await asyncio.sleep(REQUEST_SECONDS)


async def _carry_out(run: RunRecord, job: Job, store: Store, journal: Journal, pause: asyncio.Event) -> None:
    try:
        if journal.state.finished is None:
            await _audit(run, job, store, journal, pause)
    except asyncio.CancelledError:
        if journal.state.started is not None:
            journal.write(RunInterrupted())
        raise
    finally:
        journal.close()


async def _audit(run: RunRecord, job: Job, store: Store, journal: Journal, pause: asyncio.Event) -> None:
    selection = Selection(job, run.secret)
    started = journal.state.started
    materials = Materials(job, started.materials if started is not None else {})
    initial = initial_checkpoint(job, store)
    materials.accept_initial(initial)
    async with Parties(job, selection, store.run_folder(run.id), store.downloads, store.folder, journal) as parties:
        # The client loads PyTorch and the data in a thread while the local providers do the same in theirs. No
        # event is written before both are done: what cannot be prepared was never started.
        async with _one_error(), asyncio.TaskGroup() as group:
            loading = group.create_task(
                call_apart(lambda: Workspace(job, selection, store.downloads, materials.accept, initial))
            )
            group.create_task(parties.start())
        setting = Setting(
            run=run.id,
            job=job,
            journal=journal,
            parties=parties,
            workspace=loading.result(),
            selection=selection,
            folder=store.run_folder(run.id),
            blobs=store.blobs(run.id),
            choice=choose(job),
            assumptions=assumptions_of(job),
            pause=pause,
            settled=asyncio.Event(),
        )
        if job.audit.stop_early and primary_is_flagged(journal.state, setting.choice, setting.assumptions):
            setting.settled.set()
        setting.check_disk()
        setting.write(RunResumed() if setting.state.started else _beginning(setting, materials))
        parties.announce()
        _enough(job, parties)
        checkpoints = Checkpoints(setting)
        await _train_and_replicate(setting, checkpoints)
        unfinished = not setting.state.primary_finished and setting.primary.lost is None
        if pause.is_set() and unfinished and not setting.settled.is_set():
            setting.write(RunInterrupted())
        else:
            await Closing(setting, checkpoints).close()


def _beginning(setting: Setting, materials: Materials) -> RunStarted:
    job, choice = setting.job, setting.choice
    return RunStarted(
        name=job.name,
        primary=job.primary.name,
        replicas=tuple(provider.name for provider in job.others),
        steps=job.training.steps,
        sub_run_steps=job.audit.sub_run_steps,
        sub_runs=job.sub_runs,
        decision=choice.decision.name,
        reason=choice.reason,
        warnings=(*choice.warnings, *setting.parties.warnings),
        materials=materials.found,
    )


@asynccontextmanager
async def _one_error() -> AsyncIterator[None]:
    """Raise the first error of a task group by itself; the others followed from it."""
    try:
        yield
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _train_and_replicate(setting: Setting, checkpoints: Checkpoints) -> None:
    await checkpoints.take_stock()
    replication = Replication(setting, checkpoints)
    async with _one_error(), asyncio.TaskGroup() as group:

        def replicate(sub_run: int) -> None:
            group.create_task(replication.replicate(sub_run))

        await PrimaryTraining(setting, checkpoints, replicate).train()


def _enough(job: Job, parties: Parties) -> None:
    reachable = parties.reachable
    lost = [
        f"{provider.name} ({parties[provider.name].lost})"
        for provider in job.providers
        if parties[provider.name].lost is not None
    ]
    needed = min(3, job.participants)
    if parties[job.primary.name].lost is not None or len(reachable) < needed:
        raise TooFewProviders(
            f"this audit needs the primary and at least {needed - 1} other provider{'' if needed == 2 else 's'}. "
            f"Could not reach {'; '.join(lost)}. Check their endpoints, then try again"
        )
