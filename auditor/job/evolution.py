"""Models that keep learning: the table [evolution] of a job, and the job of each update.

A model is trained on a part of the data and then updated again and again, each time on fresh data that has drifted a
little further (On the Permanence of Backdoors in Evolving Models, §3). Every update is audited as a job of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.randomness import key
from auditor.job.dataset_slice import TRAIN, Stream
from auditor.job.drift import GrowingDrift
from auditor.job.plugin_use import MAX_PLUGINS, PluginUse, names_as_tables
from auditor.job.training import MAX_BATCH_SIZE, MAX_STEPS, RUN, Optimizer, Schedule

if TYPE_CHECKING:
    from auditor.job.model import Job

MAX_UPDATES = 1_000


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
        description="the number of updates after the first training, which is update 0"
    )
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        default=0.5,
        description="the share of the training samples that the updates divide among them; update 0 has the others",
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

    @property
    def stream(self) -> Stream:
        """How the training samples are divided."""
        return Stream(slices=self.updates, share=self.share)

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
        samples: how many training samples each update has; needed where the job gives epochs.

    Raises:
        ValueError: the job does not evolve, or has no such update, or the number of samples is needed.
    """
    evolution = job.evolution
    if evolution is None or not 0 <= update <= evolution.updates:
        raise ValueError(f"there is no update {update}")
    changes: dict[str, Any] = {
        "evolution": None,
        "seed": job.seed if update == 0 else key(job.seed, "update", update) % 2**63,
        "task": _task(job, evolution, update),
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


def least_slice(samples: int, evolution: Evolution) -> int:
    """The fewest training samples that an update has.

    Args:
        samples: the training samples of the whole dataset.
        evolution: how they are divided.
    """
    return math.floor(round(evolution.share * samples) / evolution.updates)


def _task(job: Job, evolution: Evolution, update: int) -> Any:
    slice_ = TRAIN if update == 0 else f"stream[{update - 1}]"
    drift = None if evolution.drift is None or update == 0 else evolution.drift.after(update)
    return job.task.model_copy(update={"stream": evolution.stream, "slice": slice_, "drift": drift})


def _given(table: Frozen) -> dict[str, Any]:
    """The keys that the job file gives."""
    return {name: value for name in type(table).model_fields if (value := getattr(table, name)) is not None}
