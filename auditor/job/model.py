"""The job as frozen, validated objects. The keys and their meaning are those of the job file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.majority import counted_on
from auditor.base.seeds import Drawer, Seeds
from auditor.job.audit import STATE, Audit
from auditor.job.evolution import Evolution
from auditor.job.impossibilities import impossibilities
from auditor.job.impossible_updates import impossible_updates
from auditor.job.named_file import named_file
from auditor.job.names import Name
from auditor.job.noise_file import noise_key
from auditor.job.plugin_file import PluginFile, read_plugin_file
from auditor.job.plugin_use import MAX_PLUGINS, PluginUse
from auditor.job.provider import Provider
from auditor.job.task_kinds import AnyTask, kind_of, load_kind
from auditor.job.training import Training

MAX_PROVIDERS = 256

NamedPluginFile = Annotated[PluginFile, named_file(read_plugin_file, 'a Python file, as in "./mine.py"')]


class Job(Frozen):
    """What the client wants trained, and how it is to be audited."""

    name: Name = "untitled"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    plugins: tuple[NamedPluginFile, ...] = Field(default=(), max_length=MAX_PLUGINS, strict=False)
    task: AnyTask
    training: Training = Training()
    audit: Audit = Audit()
    evolution: Evolution | None = None
    providers: tuple[Provider, ...] = Field(min_length=1, max_length=MAX_PROVIDERS, strict=False)

    @property
    def primary(self) -> Provider:
        """The provider that trains the whole job."""
        return next(provider for provider in self.providers if provider.primary)

    @property
    def others(self) -> tuple[Provider, ...]:
        """The providers that can be replicas."""
        return tuple(provider for provider in self.providers if not provider.primary)

    @property
    def replicas(self) -> int:
        """How many replicas execute each replicated sub-run (n − 1)."""
        return self.audit.replicas or len(self.others)

    @property
    def participants(self) -> int:
        """How many providers execute each replicated sub-run (n)."""
        return self.replicas + 1

    @property
    def simulated(self) -> bool:
        """Whether its providers train nothing, so that a run of it audits nobody (see `SimulatedEndpoint`)."""
        return any(not provider.where.trains for provider in self.providers)

    @property
    def has_referee(self) -> bool:
        """Whether a third provider is asked only where the primary and its one replica disagree."""
        return self.participants == 2 and len(self.others) > 1 and self.audit.seeds is Seeds.SHARED

    @property
    def primary_draws_start(self) -> bool:
        """Whether the primary makes the initial state itself, and commits to it as to every other."""
        return self.training.initial is None and self.audit.drawn_by is Drawer.PROVIDER

    @property
    def primary_discloses(self) -> bool:
        """Whether the primary draws a seed that all replicas share, and says which."""
        return self.audit.seeds is Seeds.SHARED and self.audit.drawn_by is Drawer.PROVIDER

    @property
    def metrics(self) -> tuple[PluginUse, ...]:
        """The metrics that compare models: those given, and those of `STATE` that are missing there."""
        named = {use.name for use in self.audit.metrics}
        return (*self.audit.metrics, *(PluginUse(name=name) for name in STATE if name not in named))

    @property
    def noise_key(self) -> str:
        """What a file of `auditor calibrate` must have been made for."""
        return noise_key(
            self.task.model_name, self.training.model_dump(mode="json", exclude_none=True), self.audit.sub_run_steps
        )

    @property
    def sub_runs(self) -> int:
        """How many sub-runs the training is cut into; the last may be shorter than k."""
        return -(-self.training.steps // self.audit.sub_run_steps)

    @property
    def replicated(self) -> int | None:
        """How many sub-runs are replicated (m), or None when each is drawn with a probability."""
        if self.audit.replicate_probability is not None:
            return None
        if self.audit.fixed_selection is not None:
            return len(set(self.audit.fixed_selection))
        return self.audit.replicated or min(4, self.sub_runs)

    @property
    def benign_fraction(self) -> float:
        """r: as given, else two thirds, or all where fewer would leave no two benign providers."""
        if self.audit.benign_fraction is not None:
            return self.audit.benign_fraction
        return max(0.67, min(1.0, 2 / self.participants))

    @property
    def has_too_few_benign(self) -> bool:
        """Whether r·n leaves no two benign providers to compare, and there is no referee either."""
        return self.benign_fraction * self.participants < 2 and not self.has_referee

    @property
    def benign(self) -> int:
        """How many of the n providers of a sub-run are counted on (`majority`)."""
        return counted_on(self.benign_fraction, self.participants)

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, data: Any) -> Any:
        """What [training] and [audit] leave out is as the kind of task wants it."""
        if not isinstance(data, dict) or not isinstance(task := data.get("task"), dict):
            return data
        try:
            kind = load_kind(kind_of(task))
        except PydanticCustomError:
            return data  # refused where the task is read
        for table, defaults in (("training", kind.training_defaults), ("audit", kind.audit_defaults)):
            given = data.get(table, {})
            if defaults and isinstance(given, dict):
                data = {**data, table: {**defaults, **given}}
        return data

    def with_plugins(self, files: Iterable[PluginFile]) -> Job:
        """The same job with more plugin files; one that it names already is not named twice."""
        by_path = {file.path: file for file in (*self.plugins, *files)}
        return self.model_copy(update={"plugins": tuple(by_path.values())})

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for key, message in impossibilities(self) or impossible_updates(self):
            raise PydanticCustomError("impossible", "{message}", {"message": message, "key": key})
        return self
