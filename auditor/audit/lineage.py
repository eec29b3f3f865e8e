"""Runs that start from what another run delivered."""

from __future__ import annotations

from pathlib import Path

from auditor.audit.record.events import ModelDelivered
from auditor.audit.record.fold import fold
from auditor.job.errors import JobError, Problem
from auditor.job.model import Job
from auditor.job.training import RUN
from auditor.store import Store, StoreError


def pinned(job: Job, store: Store) -> Job:
    """The job with the full id of the run that it starts from, so that it means the same run for ever.

    Raises:
        JobError: there is no such run, or it delivered no model.
    """
    name = job.training.initial_run
    if name is None:
        return job
    try:
        run = store.find_run(name).id
    except StoreError as error:
        raise JobError("training.initial", [Problem(f"{error}")]) from None
    delivered_checkpoint(run, store)
    training = job.training.model_copy(update={"initial": f"{RUN}{run}"})
    return job.model_copy(update={"training": training})


def initial_checkpoint(job: Job, store: Store) -> Path | None:
    """The file that a job's training starts from; None where it starts from fresh weights.

    Raises:
        JobError: the run that it names delivered no model, or is not there any more.
    """
    run = job.training.initial_run
    if run is not None:
        return delivered_checkpoint(pinned(job, store).training.initial_run or run, store)
    return None if job.training.initial is None else Path(job.training.initial)


def delivered_checkpoint(run: str, store: Store, source: str = "training.initial") -> Path:
    """The file with the model that a run delivered; of an evolving job, that of its last update.

    Args:
        run: its whole id.
        store: where it is.
        source: who asks for it; what a message begins with.

    Raises:
        JobError: there is none.
    """
    state = fold(store.events(run))
    path = Path(state.delivered.path) if isinstance(state.delivered, ModelDelivered) else None
    for _, update in sorted(state.updates.items()):
        if update.finished is not None and update.finished.digest is not None:
            path = store.blobs(update.finished.run).path(update.finished.digest)
    if path is None or not path.is_file():
        problem = f"run {run} has delivered no model. Name a run that is finished, or a checkpoint."
        raise JobError(source, [Problem(problem)])
    return path
