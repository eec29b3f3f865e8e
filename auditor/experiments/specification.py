"""What a benchmark measures: one TOML file, or a job file by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, PositiveInt, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.base.seeds import SHORT_FORMS, SHORT_WORDS, Seeds, seeds_of
from auditor.job.job_file import load_job, parse_model, read_text
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse, names_as_tables

DecisionName = Literal["auto", "ratio", "ks", "rttd"]


class AttackUse(PluginUse):
    """An attack with its options, and how many adversaries carry it out.

    Each adversary has its own seeds, pattern and target where the attack has such options.
    """

    variants: PositiveInt = 1


class PoolSpec(Frozen):
    """Which models are trained.

    Attributes:
        benign: honest executions of each sub-run.
        starts: the steps at which sub-runs begin; as many as are replicated, evenly spread, if not given.
        history: what trained the checkpoints that sub-runs start from: honest providers, or the adversary itself,
            as when it is the primary.
        repetitions: independent trainings that the starts are taken from.
    """

    benign: Annotated[int, Field(ge=2)] = 8
    starts: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(default=None, strict=False, min_length=1)
    history: Literal["honest", "attacked"] = "honest"
    repetitions: PositiveInt = 1


class CommitteeSpec(Frozen):
    """Who sits in a committee.

    Attributes:
        participants: n.
        malicious: how many of them are; none to measure false alarms alone.
        benign_fraction: r as the decision assumes it; the true share, if not given.
        referee: two of three execute each sub-run, and the third is asked only where they disagree. A malicious one is
            among the two.
    """

    participants: Annotated[int, Field(ge=2)]
    malicious: Annotated[int, Field(ge=0)] = 1
    benign_fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    referee: bool = False

    @model_validator(mode="after")
    def _can_sit(self) -> Self:
        if self.malicious > self.participants:
            message = "a committee cannot have more malicious members than members."
            raise PydanticCustomError("impossible", message, {"key": "grid.committees"})
        if self.referee and (self.participants != 3 or self.malicious > 1):
            message = "a referee is the third of three providers, of which at most one is malicious."
            raise PydanticCustomError("impossible", message, {"key": "grid.committees"})
        return self


class GridSpec(Frozen):
    """What is varied; every combination is a setting. Where nothing is given, the job's own value.

    Attributes:
        seeds: whether all members train with the same.
        sub_run_steps: k.
        committees: n, and how many of them are malicious; as many as the job does not count on, and none, if not
            given.
        replicated: m, sub-runs that are judged together; the job's, but no more than four, and one by itself, if not
            given.
        metrics: each by itself, or several together as a list.
        decisions: the rules.
    """

    seeds: tuple[Annotated[Seeds, Field(strict=False)], ...] = Field(default=(), strict=False)
    sub_run_steps: tuple[PositiveInt, ...] = Field(default=(), strict=False)
    committees: tuple[CommitteeSpec, ...] = Field(default=(), strict=False)
    replicated: tuple[PositiveInt, ...] = Field(default=(), strict=False)
    metrics: tuple[tuple[PluginUse, ...], ...] = Field(default=(), strict=False)
    decisions: tuple[DecisionName, ...] = Field(default=("auto",), strict=False)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """`randomness` names seeds by who draws them."""
        if not isinstance(value, Mapping) or not isinstance(words := value.get("randomness"), list | tuple):
            return value
        if unknown := [word for word in words if word not in SHORT_FORMS]:
            raise PydanticCustomError(
                "unknown_word",
                "{value} is not allowed; use {words}.",
                {"words": SHORT_WORDS, "value": repr(unknown[0]), "key": "randomness", "known": list(SHORT_FORMS)},
            )
        rest = {key: found for key, found in value.items() if key != "randomness"}
        return {"seeds": [seeds_of(word) for word in words], **rest}

    @field_validator("metrics", mode="before")
    @classmethod
    def _names_are_sets(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        sets = [item if isinstance(item, list | tuple) else [item] for item in value]
        return tuple(map(names_as_tables, sets))

    @field_validator("metrics", mode="after")
    @classmethod
    def _each_once(cls, value: tuple[tuple[PluginUse, ...], ...]) -> tuple[tuple[PluginUse, ...], ...]:
        for together in value:
            names = [use.name for use in together]
            if doubled := next((name for name in names if names.count(name) > 1), None):
                message = "the metric {doubled} is named twice among those that are judged together."
                raise PydanticCustomError("impossible", message, {"doubled": doubled})
        return value


class Benchmark(Frozen):
    """A benchmark.

    Attributes:
        name: what results are called after.
        job: the job file that says what is trained and how it is audited, relative to this file.
        seed: every draw of the benchmark derives from it.
        attacks: the adversaries; those of the job if not given.
        inspectors: what looks at every returned model by itself, beside the audit.
        pool: which models are trained.
        grid: which settings are judged with them.
        judged: the number of malicious members that are judged in each setting; of benign ones where none is
            malicious. Fewer if the pool has fewer different committees.
        false_alarm_rate: that decisions are asked for; the job's if not given.
    """

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
    job: str
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    attacks: Annotated[tuple[AttackUse, ...], BeforeValidator(names_as_tables)] = Field(default=(), strict=False)
    inspectors: Annotated[tuple[PluginUse, ...], BeforeValidator(names_as_tables)] = Field(default=(), strict=False)
    pool: PoolSpec = PoolSpec()
    grid: GridSpec = GridSpec()
    judged: PositiveInt = 200
    false_alarm_rate: Annotated[float, Field(gt=0, lt=0.5)] | None = None

    @model_validator(mode="after")
    def _one_adversary_with_a_history(self) -> Self:
        if self.pool.history == "attacked" and any(committee.malicious > 1 for committee in self.grid.committees):
            raise PydanticCustomError(
                "impossible",
                "with an attacked history the primary is the only adversary; set malicious to 0 or 1.",
                {"key": "grid.committees"},
            )
        return self


_SECTIONS: dict[str, type[BaseModel]] = {
    "": Benchmark,
    "pool": PoolSpec,
    "grid": GridSpec,
    "grid.committees": CommitteeSpec,
}


def load_benchmark(path: Path) -> tuple[Benchmark, Job]:
    """Read a benchmark file with the job that it names, or a job file, which is benchmarked as it stands.

    Raises:
        JobError: one of the files cannot be read or asks for something impossible.
    """
    text = read_text(path)
    if _is_job(text):
        job = load_job(path)
        return Benchmark(name=path.stem, job=path.name), job
    benchmark = parse_model(text, Benchmark, lambda _table: _SECTIONS, source=str(path))
    return benchmark, load_job(path.resolve().parent / Path(benchmark.job).expanduser())


def _is_job(text: str) -> bool:
    """A job file has a table of what is learned, which no benchmark has."""
    import tomllib

    try:
        return "task" in tomllib.loads(text)
    except ValueError:
        return False
