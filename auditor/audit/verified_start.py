"""Whether the initial state of a run is the one that follows from what it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from auditor import __version__
from auditor.audit.lineage import initial_checkpoint
from auditor.audit.materials import Materials
from auditor.audit.record.state import AuditState
from auditor.base.seeds import Drawer, initial_seed
from auditor.job.errors import JobError
from auditor.job.model import Job
from auditor.plugins.catalogue import Catalogue
from auditor.store import RunRecord, Store
from auditor.tasks.checkpoint import CheckpointFile, Schema, digest_of
from auditor.tasks.errors import CheckpointError, TrainingError
from auditor.tasks.initial_state import initial_state
from auditor.tasks.known_values import TOLERANCE, distance
from auditor.tasks.program import load_program


def verified_start(run: RunRecord, job: Job, state: AuditState, store: Store) -> tuple[bool | None, str]:
    """Compute the initial state again; whether it is the recorded one (None where that cannot be said), and why.

    Args:
        run: which.
        job: of the run.
        state: the fold of its events.
        store: has the checkpoint, if it was opened.
    """
    recorded = state.boundaries.get(0)
    if state.started is None or recorded is None:
        return None, "there is none yet"
    if job.primary_draws_start and state.disclosed is None:
        return None, "the primary drew it and did not say from which seed; a backdoor that is in it cannot be seen"
    if state.started.materials.get("auditor", __version__) != __version__:
        return None, f"auditor {state.started.materials['auditor']} began this run, and this is {__version__}"
    seed, source = _seed(job, state)
    if seed is None:
        return False, "training began without a toss that succeeded"
    try:
        materials = Materials(state.started.materials)
        file = initial_checkpoint(job, store)
        materials.accept_initial(file)
        program = load_program(job.task, store.downloads, Catalogue(job.plugins)).shaped_as(file)
        materials.accept(program)
        learner = program.learner(job.training, device=torch.device("cpu"), seed=seed)
        made = learner.checkpoint() if file is None else initial_state(file, learner)
    except (TrainingError, JobError) as error:
        return None, f"it cannot be computed again: {error}"
    if digest_of(made, learner.schema) == recorded.digest:
        return True, f"it follows from {source if file is None else 'the file that the job names'}"
    path = store.run_folder(run.id) / "blobs" / recorded.digest
    if (off := _off(path, learner.schema, made)) is not None and off <= TOLERANCE:
        return True, f"it follows from {source}, but for rounding"
    if state.compared is not None and not state.compared.agrees:
        return False, f"it does not follow from {source}; the primary was named for it"
    return False, f"it does not follow from {source if file is None else 'the file that the job names'}"


def _seed(job: Job, state: AuditState) -> tuple[int | None, str]:
    """The seed of the initial state, and what that comes from."""
    if job.training.initial is not None:  # no seed has a part in it
        return 0, "the file"
    if job.primary_draws_start:
        return state.disclosed, "the seed that the primary disclosed"
    if job.audit.drawn_by is Drawer.COIN:
        return (None if state.coin is None else initial_seed(state.coin)), "the coin"
    return initial_seed(job.seed), "the job's seed"


def _off(path: Path, schema: Schema, made: Mapping[str, Tensor]) -> float | None:
    """How far the recorded state is from the one that was computed; None where it is not there."""
    try:
        return distance(CheckpointFile(path, schema), made)
    except (OSError, CheckpointError):
        return None
