"""The engine: carries an audit out, from its first event or from wherever an earlier process was stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

from auditor.audit.checkpoints import Checkpoints
from auditor.audit.comparison import Comparison
from auditor.audit.conclusion import Conclusion
from auditor.audit.connections import Connections
from auditor.audit.copies import Copies
from auditor.audit.lineage import initial_checkpoint
from auditor.audit.materials import Materials
from auditor.audit.preparation import prepare
from auditor.audit.primary import PrimaryTraining
from auditor.audit.record.events import RunInterrupted
from auditor.audit.record.journal import Entry, Journal
from auditor.audit.replication import Replication
from auditor.audit.selection import Selection
from auditor.audit.session import Session
from auditor.audit.side_thread import call_in_side_thread
from auditor.audit.tossing import Tossing
from auditor.base.seeds import Drawer
from auditor.job.endpoint import HttpsEndpoint
from auditor.job.model import Job
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
        if journal.state.finished is None or journal.state.can_go_on:
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
    materials = Materials(started.materials if started is not None else {})
    initial = initial_checkpoint(job, store)
    materials.accept_initial(initial)
    folder = store.run_folder(run.id)
    keys = {name: key for name, known in journal.state.providers.items() if (key := known.signing_key) is not None}
    async with Connections(job, selection, folder, store.downloads, store.folder, keys) as connections:
        # The client loads PyTorch and the data in a thread while the local providers do the same in theirs. No
        # event is written before both are done: what cannot be prepared was never started.
        async with _one_error(), asyncio.TaskGroup() as group:
            preparing = group.create_task(
                call_in_side_thread(lambda: prepare(job, selection, store.downloads, materials.accept, initial))
            )
            group.create_task(connections.start())
        workspace, comparator = preparing.result()
        await connections.greet_again()
        session = Session(run.id, job, journal, connections, workspace, selection, folder, pause)
        await session.begin(materials)
        _pin_keys(session, store)
        _check_enough(session)
        checkpoints = Checkpoints(session, workspace, store.blobs(run.id))
        await checkpoints.take_stock()
        copies = Copies(workspace.parameters)
        comparison = Comparison(session, checkpoints, comparator, copies)
        if await _coins_are_drawn(session, selection):
            await _train_and_replicate(session, checkpoints, Replication(session, checkpoints, comparison, copies))
        unfinished = not session.state.primary_finished and session.lost(session.primary) is None
        if pause.is_set() and unfinished and not session.settled.is_set():
            session.write(RunInterrupted())
        else:
            await Conclusion(session, checkpoints).reach()
    if journal.state.finished is not None and not journal.state.can_go_on:
        connections.clear()


def _pin_keys(session: Session, store: Store) -> None:
    """Keep the first signing keys that registered providers showed, so that later runs expect them."""
    for connection in session.connections:
        known, where = session.state.provider(connection.name), connection.provider.where
        if known.signing_key is not None and known.key_trust == "first use":
            fingerprint = where.fingerprint if isinstance(where, HttpsEndpoint) else None
            store.pin_signing_key(connection.provider.endpoint, fingerprint, known.signing_key)


@asynccontextmanager
async def _one_error() -> AsyncIterator[None]:
    """Raise the first error of a task group by itself; the others followed from it."""
    try:
        yield
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _coins_are_drawn(session: Session, selection: Selection) -> bool:
    """Toss, if the job wants that, and use what was drawn; False where the verdict on a toss ends the run.

    Raises:
        TooFewProviders: too few are left, none of them the primary, and nobody is accused.
    """
    if session.job.audit.drawn_by is Drawer.COIN:
        await Tossing(session, selection).settle()
        if not session.has_enough:
            accused = any(session.state.provider(connection.name).misbehaviour for connection in session.connections)
            if session.lost(session.primary) is None and not accused:
                _check_enough(session)
            return False
    await session.take_up_seeds()
    return True


async def _train_and_replicate(session: Session, checkpoints: Checkpoints, replication: Replication) -> None:
    async with _one_error(), asyncio.TaskGroup() as group:

        def replicate(sub_run: int) -> None:
            group.create_task(replication.replicate(sub_run))

        await PrimaryTraining(session, checkpoints, replicate).train()


def _check_enough(session: Session) -> None:
    reasons = {connection.name: session.lost(connection) for connection in session.connections}
    lost = [f"{name} ({reason})" for name, reason in reasons.items() if reason is not None]
    needed = session.needed
    if not session.has_enough:
        raise TooFewProviders(
            f"this audit needs the primary and at least {needed - 1} other provider{'' if needed == 2 else 's'}. "
            f"Could not reach {'; '.join(lost)}. Check their endpoints, then try again"
        )
