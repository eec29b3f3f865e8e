"""What a study of models that keep learning measures: one TOML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.experiments.evolving.survival import HORIZON
from auditor.job.attack_use import AttackUse, UpdateNumber
from auditor.job.drift import GrowingDrift
from auditor.job.errors import JobError, Problem
from auditor.job.evolution import Evolution
from auditor.job.impossible_updates import OWN_KEYS
from auditor.job.job_file import SECTIONS as JOB_SECTIONS
from auditor.job.job_file import job_folder, parse_model, read_text
from auditor.job.key_lines import key_lines, nearest_line
from auditor.job.model import NamedPluginFile
from auditor.job.network_task import NetworkTask
from auditor.job.plugin_use import MAX_PLUGINS, names_as_tables
from auditor.job.task_kinds import AnyTask, kind_of, load_kind
from auditor.job.training import Schedule, Training

Gamma = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(gt=0, le=1)]


class Sweep(Frozen):
    """What is varied; every combination is a setting. Where nothing is given, the value of the other tables.

    Attributes:
        attacks: each with its options; those that make it more or less visible are swept by naming it several times.
        poisoned_updates: the updates in which the attacks act; 0 is the first training.
        poison_ratios: the share of poisoned samples, which attacks call `rate`.
        drifts: each with its step.
        learning_rates: of updates.
        epochs: of updates.
        schedules: of the rate within an update.
        models: what learns.
        gammas: the success that counts as alive.
    """

    attacks: Annotated[tuple[AttackUse, ...], BeforeValidator(names_as_tables)] = Field(
        min_length=1, max_length=MAX_PLUGINS, strict=False
    )
    poisoned_updates: tuple[Annotated[tuple[UpdateNumber, ...], Field(strict=False, min_length=1)], ...] = Field(
        default=(), strict=False
    )
    poison_ratios: tuple[Ratio, ...] = Field(default=(), strict=False)
    drifts: tuple[GrowingDrift, ...] = Field(default=(), strict=False)
    learning_rates: tuple[PositiveFloat, ...] = Field(default=(), strict=False)
    epochs: tuple[PositiveFloat, ...] = Field(default=(), strict=False)
    schedules: tuple[Schedule, ...] = Field(default=(), strict=False)
    models: tuple[str, ...] = Field(default=(), strict=False)
    gammas: tuple[Gamma, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _poisoned_updates_are_named_once(self) -> Self:
        if self.poisoned_updates and (given := [n for n, use in enumerate(self.attacks) if use.updates is not None]):
            raise PydanticCustomError(
                "impossible",
                "goes without sweep.poisoned_updates, which is about all attacks; give one of them.",
                {"key": f"attacks.{given[0]}.updates"},
            )
        return self


class Study(Frozen):
    """A study of models that keep learning.

    Attributes:
        kind: of the study.
        name: what results are called after.
        seed: every draw derives from it.
        instances: independent trainings of each setting.
        horizon: the updates after the poisoning that γ-survivability counts at most.
        unpoisoned: whether a model that nobody poisons is measured beside each setting.
        plugins: files with attacks of one's own.
        task: what is learned.
        training: how the first training goes, update 0.
        evolution: how many updates there are, and how they go.
        sweep: what is varied.
    """

    kind: Literal["evolution"] = "evolution"
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    instances: Annotated[int, Field(ge=1, le=1000)] = 5
    horizon: PositiveInt = HORIZON
    unpoisoned: bool = False
    plugins: tuple[NamedPluginFile, ...] = Field(default=(), max_length=MAX_PLUGINS, strict=False)
    task: AnyTask
    training: Training = Training()
    evolution: Evolution
    sweep: Sweep

    @property
    def gammas(self) -> tuple[float, ...]:
        """The success that counts as alive, each."""
        return tuple(dict.fromkeys(self.sweep.gammas)) or (self.evolution.gamma,)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for key, message in _impossibilities(self):
            raise PydanticCustomError("impossible", "{message}", {"message": message, "key": key})
        return self


def _impossibilities(study: Study) -> list[tuple[str, str]]:
    """What is wrong with a study whose keys are possible each: (key, message)."""
    task, evolution, sweep = study.task, study.evolution, study.sweep
    if not isinstance(task, NetworkTask):
        return [("task.kind", f"a {task.kind} task has no slices of data to update with; use vision or text.")]
    found = [
        (f"task.{key}", "is what a study sets for each update; remove this key.")
        for key, default in OWN_KEYS.items()
        if getattr(task, key) != default
    ]
    if study.training.initial is not None:
        found.append(("training.initial", "is not for studies, which train the first model themselves; remove it."))
    if evolution.datasets is not None:
        words = "is for jobs; a study divides task.dataset among the updates. Set share in its place."
        found.append(("evolution.datasets", words))
    if evolution.drift is None and not sweep.drifts:
        found.append(("evolution.drift", 'is missing; add drift = { name = "…", step = … }, or sweep.drifts.'))
    unused = {"stop_when_flagged": False, "inspectors": (), "audit": type(evolution.audit)()}
    found += [
        (f"evolution.{key}", "is about audits, and a study has none; remove this key.")
        for key, value in unused.items()
        if getattr(evolution, key) != value
    ]
    for place, updates in _poisoned(sweep):
        if max(updates) > evolution.updates:
            found.append((place, f"there is no update {max(updates)}; give numbers from 0 to {evolution.updates}."))
    return found


def _poisoned(sweep: Sweep) -> list[tuple[str, Sequence[int]]]:
    """Each list of poisoned updates, by its key."""
    by_attack = [(f"sweep.attacks.{n}.updates", use.updates) for n, use in enumerate(sweep.attacks)]
    for_all = [(f"sweep.poisoned_updates.{n}", updates) for n, updates in enumerate(sweep.poisoned_updates)]
    return [(place, updates) for place, updates in (*by_attack, *for_all) if updates is not None]


@dataclass(frozen=True)
class StudyFile:
    """A study with the text that it was read from, so that an error can name the line.

    Attributes:
        study: what it says.
        source: what errors call it.
        text: TOML.
    """

    study: Study
    source: str
    text: str

    def error(self, key: str, message: str, suggestion: str | None = None) -> JobError:
        """An error about a key, which is dotted."""
        path = tuple(int(part) if part.isdigit() else part for part in key.split("."))
        line = nearest_line(key_lines(self.text), path)
        return JobError(self.source, [Problem(message, key=key, line=line, suggestion=suggestion)])


_SECTIONS: dict[str, type[BaseModel]] = {
    **{place: model for place, model in JOB_SECTIONS.items() if place.partition(".")[0] in ("training", "evolution")},
    **{
        place.replace("training.schedule", "sweep.schedules"): model
        for place, model in JOB_SECTIONS.items()
        if place.startswith("training.schedule.")
    },
    "": Study,
    "sweep": Sweep,
}


def parse_study(text: str, source: str, folder: Path) -> StudyFile:
    """Validate the text of a study file.

    Args:
        text: TOML.
        source: what errors call it.
        folder: what relative paths in it are relative to.

    Raises:
        JobError: with every problem found.
    """
    study = parse_model(text, Study, _sections, source=source, folder=folder)
    return StudyFile(study.model_copy(update={"task": study.task.relative_to(folder)}), source, text)


def load_study(path: Path) -> StudyFile:
    """Read a study file.

    Raises:
        JobError: it cannot be read or asks for something impossible.
    """
    return parse_study(read_text(path), str(path), job_folder(path))


def _sections(table: Mapping[str, Any]) -> Mapping[str, type[BaseModel]]:
    try:
        return _SECTIONS | {"task": load_kind(kind_of(table.get("task")))}
    except PydanticCustomError:
        return _SECTIONS
