"""The settings of a study: every combination of what it sweeps, and the lessons that each consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from auditor.base.randomness import key
from auditor.experiments.evolving.specification import Study
from auditor.job.drift import GrowingDrift
from auditor.job.evolution import UpdateTraining
from auditor.job.network_task import NetworkTask
from auditor.job.training import Schedule, Training
from auditor.plugins.catalogue import Catalogue

FIRST = (0,)
"""Which updates are poisoned if nobody says: the first training."""


@dataclass(frozen=True)
class Setting:
    """One combination.

    Attributes:
        attack: the table of the attack, with its name and options.
        poisoned: the updates in which it acts, in ascending order; none for a model that nobody poisons.
        drift: how the data change.
        learning_rate: of an update.
        epochs: likewise; None where its steps are given.
        schedule: likewise.
        model: what learns.
    """

    attack: Mapping[str, Any]
    poisoned: tuple[int, ...]
    drift: GrowingDrift
    learning_rate: float
    epochs: float | None
    schedule: Schedule
    model: str

    @property
    def last(self) -> int:
        """The last poisoned update; the first training where none is."""
        return max(self.poisoned, default=0)

    def of_attack(self) -> dict[str, Any]:
        """What can be swept of the attack: its name, which is called `attack`, and its options."""
        return _flat(self.attack)

    def quantities(self) -> dict[str, Any]:
        """What can be swept, by a name for people; options of the attack stand for themselves."""
        drift = self.drift.table
        return {
            **self.of_attack(),
            "poisoned updates": "none" if not self.poisoned else ", ".join(map(str, self.poisoned)),
            "drift": drift.pop("name"),
            "drift step": drift.pop("step"),
            **{f"drift {option}": value for option, value in drift.items()},
            "learning rate": self.learning_rate,
            "epochs": self.epochs,
            "schedule": self.schedule.name,
            **{f"schedule {option}": value for option, value in _options(self.schedule).items()},
            "model": self.model,
        }


@dataclass(frozen=True)
class Lesson:
    """One training of a model, the first or an update.

    Attributes:
        task: with the slice and the drift of its data.
        training: how; its steps are not meant where there are epochs.
        epochs: passes over the data.
        attack: the table of the attack that poisons it, if any.
        seed: of every draw of the training.
    """

    task: NetworkTask
    training: Training
    epochs: float | None
    attack: Mapping[str, Any] | None
    seed: int


def settings_of(study: Study) -> list[Setting]:
    """Every combination, each once; the models that nobody poisons come last."""
    sweep, evolution = study.sweep, study.evolution
    update = _update_training(study.training, evolution.training)
    drifts = sweep.drifts or tuple(filter(None, [evolution.drift]))
    found = [
        Setting(poisoning({"name": use.name, **use.options}, ratio), tuple(sorted(set(poisoned))), *rest)
        for use, ratio in product(sweep.attacks, sweep.poison_ratios or (None,))
        for poisoned in sweep.poisoned_updates or (use.updates or FIRST,)
        for rest in product(
            drifts,
            sweep.learning_rates or (update.optimizer.lr,),
            sweep.epochs or (evolution.training.epochs,),
            sweep.schedules or (update.schedule,),
            sweep.models or (study.task.model_name,),
        )
    ]
    if study.unpoisoned:
        found += [replace(setting, poisoned=()) for setting in found]
    return list({repr(setting): setting for setting in found}.values())


def lessons_of(study: Study, setting: Setting, instance: int, plugins: Catalogue) -> list[Lesson]:
    """What one instance of a setting learns, the first training first.

    Args:
        study: whose setting it is.
        setting: which.
        instance: its number.
        plugins: where attacks are found.

    Raises:
        PluginError: the attack cannot be loaded.
    """
    update = _update_training(study.training, study.evolution.training)
    optimizer = update.optimizer.model_copy(update={"lr": setting.learning_rate})
    update = update.model_copy(update={"optimizer": optimizer, "schedule": setting.schedule})
    attack = own_attack(setting.attack, instance, plugins)
    return [
        Lesson(
            task_of(study, setting.model, setting.drift, number),
            study.training if number == 0 else update,
            None if number == 0 else setting.epochs,
            attack if number in setting.poisoned else None,
            key(study.seed, f"study instance {instance}", number) % 2**63,
        )
        for number in range(study.evolution.updates + 1)
    ]


def task_of(study: Study, model: str, drift: GrowingDrift, update: int) -> NetworkTask:
    """The task of one update, with the slice and the drift of its data."""
    task = study.task.model_copy(update={"model": model})
    if not isinstance(task, NetworkTask):
        raise TypeError(f"a {task.kind} task has no slices of data")
    return study.evolution.model_copy(update={"drift": drift}).task(task, update)


def own_attack(attack: Mapping[str, Any], instance: int, plugins: Catalogue) -> dict[str, Any]:
    """The attack with draws of an instance's own, such as which samples are poisoned; the trigger stays the same.

    Args:
        attack: its table.
        instance: the number of the instance; the first has the attack as it is.
        plugins: where attacks are found.

    Raises:
        PluginError: it cannot be loaded.
    """
    table = dict(attack)
    if isinstance(inner := table.get("attack"), Mapping):
        return table | {"attack": own_attack(inner, instance, plugins)}
    if instance == 0 or "seed" not in plugins.load("attacks", str(table["name"])).Options.model_fields:
        return table
    return table | {"seed": int(table.get("seed", 0)) + instance}


def poisoning(attack: Mapping[str, Any], ratio: float | None) -> dict[str, Any]:
    """The attack with a share of poisoned samples, at the innermost of attacks that wrap one another.

    Args:
        attack: its table.
        ratio: the share; None for the attack's own.
    """
    table = dict(attack)
    if ratio is None:
        return table
    if isinstance(inner := table.get("attack"), Mapping):
        return table | {"attack": poisoning(inner, ratio)}
    return table | {"rate": ratio}


def _update_training(training: Training, own: UpdateTraining) -> Training:
    given = {name: value for name in Training.model_fields if (value := getattr(own, name, None)) is not None}
    return training.model_copy(update=given)


def _options(schedule: Schedule) -> dict[str, Any]:
    return schedule.model_dump(exclude={"name"})


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted names; the name of the attack is called `attack`."""
    flat: dict[str, Any] = {}
    for option, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{option}.")
        else:
            flat[f"{prefix}attack" if option == "name" else prefix + option] = value
    return flat
