"""What the settings of a study are called: by what differs among them, that of the attack apart from all else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.experiments.evolving.settings import Setting
from auditor.experiments.evolving.varied import varied

NAMES = ("attack", "drift", "schedule", "model")
"""Quantities that are names, which say themselves what they are of."""


@dataclass(frozen=True)
class SettingLabel:
    """What a setting is called.

    Attributes:
        attack: what tells its attack apart; empty where nothing does.
        cell: what tells it apart beside the attack, likewise.
    """

    attack: str
    cell: str


def setting_labels(settings: Sequence[Setting]) -> list[SettingLabel]:
    """What each setting is called, in their order."""
    names = varied(settings)
    own = {name for setting in settings for name in setting.of_attack()} & set(names)
    others = [name for name in names if name not in own]
    return [SettingLabel(label(setting, sorted(own)), label(setting, others)) for setting in settings]


def label(setting: Setting, names: Sequence[str]) -> str:
    """Some quantities of a setting, as far as it has them."""
    return ", ".join(_words(setting, names))


def quantity_text(value: object) -> str:
    """A quantity of a setting, for people."""
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _words(setting: Setting, names: Sequence[str]) -> Iterator[str]:
    quantities = setting.quantities()
    for name in names:
        if (value := quantities.get(name)) is not None:
            yield quantity_text(value) if name in NAMES else f"{name} {quantity_text(value)}"
