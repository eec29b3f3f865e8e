"""The job as frozen, validated objects. The keys and their meaning are those of the job file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.majority import counted_on
from auditor.base.seeds import SHORT_FORMS, Drawer, Seeds
from auditor.job.endpoint import Endpoint, RegisteredEndpoint, parse_endpoint
from auditor.job.impossibilities import MAX_SUB_RUNS, impossibilities
from auditor.job.kinds import AnyTask, kind_of, load_kind
from auditor.job.lines import inner_values
from auditor.job.noise_file import NoiseFile, NoiseFileError, noise_key, read_noise_file
from auditor.job.plugin_file import PluginFile, PluginFileError, read_plugin_file
from auditor.job.training import Training

DIRECTION_MARKS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=rf"^[^\x00-\x1f\x7f-\x9f{DIRECTION_MARKS}]+$")
]


MAX_PROVIDERS = 256
MAX_PLUGINS = 64


def _read_noise_file(value: Any, info: ValidationInfo) -> Any:
    """A job file names a path; a job that was kept holds what was read there."""
    folder = (info.context or {}).get("folder")
    if folder is None or value is None:
        return value
    message = 'must be the path of a file that `auditor calibrate` wrote, as in "./noise.json"'
    if isinstance(value, str):
        try:
            return read_noise_file(folder / Path(value).expanduser())
        except (NoiseFileError, RuntimeError) as error:
            message = f"{value!r} {error}"
    raise PydanticCustomError("noise_file", "{message}.", {"message": message})


class PluginUse(BaseModel):
    """A plugin by name with its options, which only the plugin itself can validate."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: Name

    @property
    def options(self) -> dict[str, Any]:
        """The options as the job file gives them, without the name."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="after")
    def _options_can_be_kept(self) -> Self:
        """A run keeps its job as JSON, which has no dates and no infinite numbers."""
        for path, value in inner_values(self.options):
            if isinstance(value, date | time) or (isinstance(value, float) and not math.isfinite(value)):
                key = ".".join(map(str, path))
                raise PydanticCustomError(
                    "option",
                    "{value} is not a valid value for an option; give a number or a text.",
                    {"value": str(value), "key": key},
                )
        return self


STATE = ("update", "buffers", "optimizer")
"""The metrics that together see all that one sub-run hands to the next: parameters, buffers and optimizer state.

Every audit uses them. What none compares is where a backdoor goes: one in the momentum alone is planted by whoever
executes the next sub-run, replicas included."""


class Audit(Frozen):
    """How the training is audited."""

    sub_run_steps: PositiveInt = Field(default=40, description="k, the steps in a sub-run")
    replicated: PositiveInt | None = Field(
        default=None,
        description="m, the number of replicated sub-runs; 4, or all of them if there are fewer, if not given",
    )
    replicate_probability: Annotated[float, Field(gt=0, le=1)] | None = None
    replicated_at_most: PositiveInt | None = Field(
        default=None, description="replicate up to this many sub-runs if m of them leave a doubt"
    )
    stop_early: bool = Field(default=False, description="end the run as soon as the primary is flagged")
    replicas: PositiveInt | None = Field(
        default=None, description="replicas per replicated sub-run; all other providers if not given"
    )
    benign_fraction: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="r; more than half of the providers are always assumed benign, even if r is 0.5 or less",
    )
    seeds: Annotated[Seeds, Field(strict=False)] = Field(
        default=Seeds.SHARED, description="whether all providers train with the same seeds, or each with its own"
    )
    drawn_by: Annotated[Drawer, Field(strict=False)] = Field(
        default=Drawer.CLIENT, description="who draws the seeds; the provider if they are its own and nothing is given"
    )
    metrics: tuple[PluginUse, ...] = Field(
        default=(PluginUse(name="update"), PluginUse(name="zest")), min_length=1, max_length=MAX_PLUGINS, strict=False
    )
    decision: Literal["auto", "ks", "ratio"] = "auto"
    false_alarm_rate: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    stall_seconds: PositiveFloat = Field(
        default=300.0, description="give up a provider that makes no progress for this long"
    )
    waiting_seconds: PositiveFloat = Field(
        default=3600.0, description="likewise if it waits for its turn or prepares for this long in a sub-run"
    )
    metric_seconds: PositiveFloat = Field(
        default=600.0, description="stop using a metric that takes longer than this for one sub-run"
    )
    noise: Annotated[NoiseFile | None, BeforeValidator(_read_noise_file)] = Field(
        default=None,
        description="with shared seeds, a file that `auditor calibrate` wrote; without it, the run measures noise",
    )
    noise_seconds: PositiveFloat = Field(
        default=120.0,
        description="with shared seeds, how long the client may execute steps of a replicated sub-run to measure noise",
    )
    fixed_selection: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        default=None,
        strict=False,
        max_length=MAX_SUB_RUNS,
        description="replicate exactly these sub-runs; predictable, so for tests and experiments only",
    )

    @model_validator(mode="before")
    @classmethod
    def _who_draws(cls, value: Any) -> Any:
        """`randomness` answers both questions about seeds in one word; own seeds are the provider's to draw."""
        if not isinstance(value, dict):
            return value
        if "randomness" not in value:
            return {"drawn_by": Drawer.PROVIDER, **value} if value.get("seeds") == Seeds.OWN else value
        word = value["randomness"]
        if not isinstance(word, str) or word not in SHORT_FORMS:
            raise PydanticCustomError(
                "unknown_word",
                "{shown} is not allowed; use 'client' or 'provider'.",
                {"shown": repr(word), "value": word, "key": "randomness", "known": list(SHORT_FORMS)},
            )
        if doubled := [key for key in ("seeds", "drawn_by") if key in value]:
            raise PydanticCustomError(
                "impossible", "randomness already says it; remove one of the two keys.", {"key": doubled[0]}
            )
        seeds, drawer = SHORT_FORMS[word]
        rest = {key: given for key, given in value.items() if key != "randomness"}
        return {**rest, "seeds": seeds, "drawn_by": drawer}

    @model_validator(mode="after")
    def _seeds_can_be_drawn(self) -> Self:
        if self.seeds is Seeds.SHARED and self.drawn_by is Drawer.PROVIDER:
            raise PydanticCustomError(
                "impossible",
                'the client draws seeds that all providers share; set seeds = "own", or remove this key.',
                {"key": "drawn_by"},
            )
        return self

    @field_validator("metrics", mode="before")
    @classmethod
    def _names_are_uses(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return tuple({"name": item} if isinstance(item, str) else item for item in value)
        return value

    @model_validator(mode="after")
    def _one_way_to_select(self) -> Self:
        given = [
            key for key in ("replicated", "replicate_probability", "fixed_selection") if getattr(self, key) is not None
        ]
        if len(given) > 1:
            raise PydanticCustomError(
                "selection", "give only one of {given}.", {"given": " and ".join(given), "key": given[1]}
            )
        names = [use.name for use in self.metrics]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise PydanticCustomError(
                "metrics",
                "the metric {doubled} is named twice.",
                {"doubled": " and ".join(sorted(doubled)), "key": "metrics"},
            )
        return self


class Provider(Frozen):
    """A provider that trains for the client."""

    name: Name
    endpoint: str
    primary: bool = False
    price_per_hour: NonNegativeFloat | None = Field(default=None, description="dollars")
    attack: PluginUse | None = Field(default=None, description="simulate a malicious provider; local providers only")

    @field_validator("endpoint")
    @classmethod
    def _known_endpoint(cls, value: str) -> str:
        try:
            parse_endpoint(value)
        except ValueError as error:
            raise PydanticCustomError(
                "endpoint",
                "{error}.",
                {"error": str(error), "value": value, "known": ["local:cpu", "local:cuda:0"]},
            ) from None
        return value

    @property
    def where(self) -> Endpoint:
        """The endpoint, read."""
        return parse_endpoint(self.endpoint)

    @model_validator(mode="after")
    def _attacks_are_local(self) -> Self:
        # Whether a registered provider is local is known when its name is looked up.
        if self.attack is not None and not (self.where.ours or isinstance(self.where, RegisteredEndpoint)):
            raise PydanticCustomError(
                "attack",
                "only a local provider (local:cpu or local:cuda:N) can simulate an attack.",
                {"key": "attack"},
            )
        return self


def _read_plugin_file(value: Any, info: ValidationInfo) -> Any:
    """A job file names a path; a job that was kept holds what was read there."""
    folder = (info.context or {}).get("folder")
    if folder is None:
        return value
    message = 'must be the path of a Python file, as in "./mine.py"'
    if isinstance(value, str):
        try:
            return read_plugin_file(folder / Path(value).expanduser())
        except (PluginFileError, RuntimeError) as error:
            message = f"{value!r} {error}"
    raise PydanticCustomError("plugin_file", "{message}.", {"message": message})


class Job(Frozen):
    """What the client wants trained, and how it is to be audited."""

    name: Name = "untitled"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    plugins: tuple[Annotated[PluginFile, BeforeValidator(_read_plugin_file)], ...] = Field(
        default=(), max_length=MAX_PLUGINS, strict=False
    )
    task: AnyTask
    training: Training = Training()
    audit: Audit = Audit()
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
    def has_referee(self) -> bool:
        """Whether a third provider is asked only where the primary and its one replica disagree."""
        return self.participants == 2 and len(self.others) > 1 and self.audit.seeds is Seeds.SHARED

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
    def benign(self) -> int:
        """How many of the n providers of a sub-run are counted on (`majority`)."""
        return counted_on(self.benign_fraction, self.participants)

    @model_validator(mode="before")
    @classmethod
    def _training_defaults(cls, data: Any) -> Any:
        """What [training] leaves out is as the kind of task wants it."""
        if not isinstance(data, dict) or not isinstance(task := data.get("task"), dict):
            return data
        training = data.get("training", {})
        if not isinstance(training, dict):
            return data
        try:
            defaults = load_kind(kind_of(task)).training_defaults
        except PydanticCustomError:
            return data  # refused where the task is read
        return {**data, "training": {**defaults, **training}} if defaults else data

    def with_plugins(self, files: Iterable[PluginFile]) -> Job:
        """The same job with more plugin files; one that it names already is not named twice."""
        by_path = {file.path: file for file in (*self.plugins, *files)}
        return self.model_copy(update={"plugins": tuple(by_path.values())})

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for key, message in impossibilities(self):
            raise PydanticCustomError("impossible", "{message}", {"message": message, "key": key})
        return self
