"""How a training is audited: the table [audit] of a job."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.seeds import SHORT_FORMS, SHORT_WORDS, Drawer, Seeds
from auditor.job.impossibilities import MAX_SUB_RUNS
from auditor.job.named_file import named_file
from auditor.job.noise_file import NoiseFile, read_noise_file
from auditor.job.plugin_use import MAX_PLUGINS, PluginUse, names_as_tables

STATE = ("update", "buffers", "optimizer")
"""The metrics that together see all that one sub-run hands to the next: parameters, buffers and optimizer state.

Every audit uses them. A backdoor goes where no metric looks: if it is in the momentum alone, every provider that
executes the next sub-run plants it, replicas included."""


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
    hand_over: bool = Field(
        default=False,
        description="end the run as soon as the primary is flagged or lost, and have another provider train on from "
        "the last verified checkpoint, in a run of its own",
    )
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
        default=Drawer.CLIENT,
        description="who draws the seeds and the initial weights: the client, a provider, or all together (coin); "
        "the provider if seeds are its own and nothing is given",
    )
    metrics: Annotated[tuple[PluginUse, ...], BeforeValidator(names_as_tables)] = Field(
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
    toss_seconds: PositiveFloat = Field(
        default=30.0, description='with drawn_by = "coin", how long a provider may take to commit, and to reveal'
    )
    metric_seconds: PositiveFloat = Field(
        default=600.0, description="stop using a metric that takes longer than this for one sub-run"
    )
    noise: Annotated[
        NoiseFile | None,
        named_file(read_noise_file, 'a file that `auditor calibrate` wrote, as in "./noise.json"'),
    ] = Field(
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
                "{shown} is not allowed; use {words}.",
                {
                    "shown": repr(word),
                    "words": SHORT_WORDS,
                    "value": word,
                    "key": "randomness",
                    "known": list(SHORT_FORMS),
                },
            )
        if doubled := [key for key in ("seeds", "drawn_by") if key in value]:
            raise PydanticCustomError(
                "impossible", "randomness already says it; remove one of the two keys.", {"key": doubled[0]}
            )
        seeds, drawer = SHORT_FORMS[word]
        rest = {key: given for key, given in value.items() if key != "randomness"}
        return {**rest, "seeds": seeds, "drawn_by": drawer}

    @property
    def ends_when_flagged(self) -> bool:
        """Whether the run ends as soon as the primary is flagged."""
        return self.stop_early or self.hand_over

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
