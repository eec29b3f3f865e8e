"""The data of an evolving job, read once before its first update, so that what cannot work shows before anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.audit.materials import Materials
from auditor.audit.record.state import AuditState
from auditor.audit.record.update_events import UpdateDataRead
from auditor.base.hostile_text import cleaned
from auditor.job.evolution import Evolution, least_slice, update_job
from auditor.job.model import Job
from auditor.job.network_task import NetworkTask
from auditor.plugins.catalogue import Catalogue
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Inventory, counted
from auditor.tasks.program import load_program
from auditor.tasks.update_programs import update_programs


@dataclass(frozen=True)
class StreamData:
    """What was found.

    Attributes:
        samples: the training samples of each update, update 1 first.
        materials: what must be the same when the job goes on after an interruption.
        read: what was read for each update that has a dataset of its own.
    """

    samples: tuple[int, ...]
    materials: Mapping[str, str]
    read: tuple[UpdateDataRead, ...]

    def samples_of(self, update: int) -> int | None:
        """The training samples of an update; None for the first training, whose steps are given."""
        return None if update == 0 else self.samples[update - 1]


def look_at_data(job: Job, state: AuditState, downloads: Path) -> StreamData:
    """Read all data once, and make sure that it lasts for all updates and can drift so far.

    Args:
        job: an evolving one.
        state: of its run so far; data that has changed since it began is refused.
        downloads: the folder for datasets.

    Raises:
        TrainingError: says what is wrong.
    """
    evolution = job.evolution
    if evolution is None:
        raise ValueError("this job does not evolve")
    materials = Materials(state.started.materials if state.started is not None else {})
    plugins = Catalogue(job.plugins)
    first = load_program(job.task, downloads, plugins)
    materials.accept(first)
    whole = len(first.samples)
    del first
    if evolution.stream is None:
        return _of_datasets(job, evolution, materials, downloads)
    samples = least_slice(whole, evolution.stream)
    _check_slices(job, evolution, samples)
    load_program(update_job(job, evolution.updates, None, samples).task, downloads, plugins)
    return StreamData((samples,) * evolution.updates, materials.found, ())


def _of_datasets(job: Job, evolution: Evolution, materials: Materials, downloads: Path) -> StreamData:
    samples, read = [], []
    for update, task, program in update_programs(job, downloads):
        materials.accept(program, update)
        count, batch = len(program.samples), _batch(job, evolution)
        if count < batch:
            raise TrainingError(
                f"evolution.datasets, update {update}: {task.dataset} has {counted(count, 'training sample')}, which "
                f"are fewer than a batch of {batch:,}. Give more samples, or use smaller batches."
            )
        samples.append(count)
        read.append(_read(update, task, program.inventory))
    return StreamData(tuple(samples), materials.found, tuple(read))


def _check_slices(job: Job, evolution: Evolution, samples: int) -> None:
    if samples < (batch := _batch(job, evolution)):
        raise TrainingError(
            f"evolution: each of {evolution.updates:,} updates has {samples:,} training samples, which are fewer "
            f"than a batch of {batch:,}. Make fewer updates, raise evolution.share, or use smaller batches."
        )


def _batch(job: Job, evolution: Evolution) -> int:
    return evolution.training.batch_size or job.training.batch_size


def _read(update: int, task: NetworkTask, inventory: Inventory) -> UpdateDataRead:
    remarks = tuple(replace(remark, text=cleaned(remark.text)) for remark in inventory.remarks)
    return UpdateDataRead(
        update,
        cleaned(task.dataset_name, 200),
        inventory.training,
        inventory.held_out,
        cleaned(inventory.sample, 200),
        inventory.class_count,
        remarks,
    )
