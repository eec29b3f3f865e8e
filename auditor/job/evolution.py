"""Models that keep learning: the table [evolution] of a job, and the job of each update.

A model is trained and then updated again and again, each time on fresh data: a part of the dataset that the first
training left, drifted a little further (On the Permanence of Backdoors in Evolving Models, §3), or a dataset of the
update's own. Every update is audited as a job of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.randomness import key
from auditor.job.dataset_slice import TRAIN, Stream
from auditor.job.drift import GrowingDrift
from auditor.job.network_task import NetworkTask
from auditor.job.plugin_use import MAX_PLUGINS, PluginUse, names_as_tables
from auditor.job.task import Task
from auditor.job.training import MAX_BATCH_SIZE, MAX_STEPS, RUN, Optimizer, Schedule

if TYPE_CHECKING:
    from auditor.job.model import Job

MAX_UPDATES = 1_000

SHARE = 0.5
"""The share of the training samples that the updates divide if the job says nothing; the paper's (§5)."""


class UpdateTraining(Frozen):
    """How an update is learned, where that differs from [training]."""

    steps: Annotated[int, Field(gt=0, le=MAX_STEPS)] | None = None
    epochs: PositiveFloat | None = Field(
        default=None, description="the steps as passes over the samples of an update, in place of `steps`"
    )
    batch_size: Annotated[int, Field(gt=0, le=MAX_BATCH_SIZE)] | None = None
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    augment: tuple[Literal["crop", "flip"], ...] | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.steps is not None and self.epochs is not None:
            raise PydanticCustomError("impossible", "goes without steps; give one of them.", {"key": "epochs"})
        return self


class UpdateAudit(Frozen):
    """How an update is audited, where that differs from [audit]."""

    sub_run_steps: PositiveInt | None = Field(default=None, description="k, the steps in a sub-run")
    replicated: PositiveInt | None = Field(default=None, description="m, the number of replicated sub-runs")


class Evolution(Frozen):
    """How a model goes on learning, update by update."""

    updates: Annotated[int, Field(ge=1, le=MAX_UPDATES)] = Field(
        description="the number of updates after the first training, which is update 0; with `datasets` as many as "
        "there are"
    )
    share: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        default=None,
        description="the share of the training samples that the updates divide among them, 0.5 if not given; update 0 "
        "has the others",
    )
    datasets: tuple[str, ...] | None = Field(
        default=None,
        max_length=MAX_UPDATES,
        strict=False,
        description="in place of `share`, a dataset for each update, in the forms of `task.dataset`; update 0 then has "
        "the whole of `task.dataset`",
    )
    drift: GrowingDrift | None = Field(
        default=None,
        description='how the data changes: `{ name = "rotate", step = 4.0 }`; update I has drifted by I steps',
    )
    gamma: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        default=0.5, description="γ, the success from which on a backdoor counts as alive"
    )
    stop_when_flagged: bool = Field(default=False, description="make no more updates once a provider is flagged")
    inspectors: Annotated[tuple[PluginUse, ...], BeforeValidator(names_as_tables)] = Field(
        default=(), max_length=MAX_PLUGINS, strict=False, description="inspectors that look at the model of each update"
    )
    training: UpdateTraining = UpdateTraining()
    audit: UpdateAudit = UpdateAudit()

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, data: Any) -> Any:
        """Without `updates` there are as many as datasets."""
        if isinstance(data, Mapping) and "updates" not in data:
            datasets = data.get("datasets")
            if isinstance(datasets, list | tuple):
                return {**data, "updates": max(1, len(datasets))}
        return data

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.datasets is None:
            return self
        if not self.datasets:
            message, key = "is empty; name a dataset for each update, or remove the key.", "datasets"
        elif self.share is not None:
            message, key = "divides task.dataset, which goes without evolution.datasets; remove one of them.", "share"
        elif len(self.datasets) != self.updates:
            given = "1 dataset" if len(self.datasets) == 1 else f"{len(self.datasets):,} datasets"
            updates = "1 update" if self.updates == 1 else f"{self.updates:,} updates"
            message, key = f"names {given} for {updates}; name one for each, or remove `updates`.", "datasets"
        else:
            return self
        raise PydanticCustomError("impossible", "{message}", {"message": message, "key": key})

    @property
    def stream(self) -> Stream | None:
        """How the training samples are divided; None where each update has a dataset of its own."""
        return None if self.datasets is not None else Stream(slices=self.updates, share=self.share or SHARE)

    def task(self, task: NetworkTask, update: int) -> NetworkTask:
        """The task of one update, with its data.

        Args:
            task: that of the job.
            update: which; 0 is the first training.
        """
        changes: dict[str, Any] = {
            "drift": None if self.drift is None or update == 0 else self.drift.after(update),
        }
        if self.datasets is None:
            slice_ = TRAIN if update == 0 else f"stream[{update - 1}]"
            changes |= {"stream": self.stream, "slice": slice_}
        elif update > 0:
            changes |= {"dataset": self.datasets[update - 1], "like": task.dataset}
        return task.model_copy(update=changes)

    def relative_to(self, folder: Path, task: Task) -> Evolution:
        """The same with the paths of datasets resolved against `folder`, where the job file lies."""
        if self.datasets is None or not isinstance(task, NetworkTask):
            return self
        resolved = tuple(task.on(name).relative_to(folder).dataset for name in self.datasets)
        return self.model_copy(update={"datasets": resolved})

    def steps(self, job: Job, samples: int | None) -> int | None:
        """The steps of an update; None where they follow from a number of samples that is not known.

        Args:
            job: the evolving job.
            samples: how many samples an update has.
        """
        own = self.training
        if own.epochs is None:
            return own.steps or job.training.steps
        if samples is None:
            return None
        batch = own.batch_size or job.training.batch_size
        return max(1, round(own.epochs * (samples // batch)))


def update_job(job: Job, update: int, start: str | None = None, samples: int | None = None) -> Job:
    """The job of one update, as an audit carries it out.

    The job's rate of false alarms holds for all updates together: each gets an equal share of it.

    Args:
        job: an evolving one.
        update: which; 0 is the first training.
        start: the run whose model the update begins with; None for update 0.
        samples: how many training samples the update has; needed where the job gives epochs.

    Raises:
        ValueError: the job does not evolve, or has no such update, or the number of samples is needed.
    """
    evolution = job.evolution
    if evolution is None or not 0 <= update <= evolution.updates:
        raise ValueError(f"there is no update {update}")
    changes: dict[str, Any] = {
        "evolution": None,
        "seed": job.seed if update == 0 else key(job.seed, "update", update) % 2**63,
        "task": evolution.task(_evolving(job.task), update),
        "providers": tuple(
            provider.model_copy(update={"attack": provider.attack_in(update)}) for provider in job.providers
        ),
        "audit": job.audit.model_copy(
            update={"false_alarm_rate": job.audit.false_alarm_rate / (evolution.updates + 1)}
            | ({} if update == 0 else {"noise": None, **_given(evolution.audit)})
        ),
    }
    if update > 0:
        steps = evolution.steps(job, samples)
        if steps is None:
            raise ValueError("the steps of an update follow from the number of its samples")
        own = {key: value for key, value in _given(evolution.training).items() if key != "epochs"}
        initial = None if start is None else f"{RUN}{start}"
        changes["training"] = job.training.model_copy(update={**own, "steps": steps, "initial": initial})
    return job.model_copy(update=changes)


def first_training(job: Job) -> Job:
    """The job itself; of an evolving one, that of update 0."""
    return job if job.evolution is None else update_job(job, 0)


def own_tasks(job: Job) -> tuple[NetworkTask, ...]:
    """The tasks of updates that have datasets of their own, from update 1 on; none where they divide one dataset."""
    evolution = job.evolution
    if evolution is None or evolution.datasets is None:
        return ()
    return tuple(evolution.task(_evolving(job.task), update) for update in range(1, evolution.updates + 1))


def least_slice(samples: int, stream: Stream) -> int:
    """The fewest training samples that an update has.

    Args:
        samples: the training samples of the whole dataset.
        stream: how they are divided.
    """
    return math.floor(round(stream.share * samples) / stream.slices)


def _evolving(task: Task) -> NetworkTask:
    if not isinstance(task, NetworkTask):
        raise TypeError(f"a {task.kind} task cannot evolve")
    return task


def _given(table: Frozen) -> dict[str, Any]:
    """The keys that the job file gives."""
    return {name: value for name in type(table).model_fields if (value := getattr(table, name)) is not None}
