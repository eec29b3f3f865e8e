"""Who takes part: honest providers, and adversaries that each have their own backdoor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.experiments.specification import AttackUse
from auditor.plugins.catalogue import Catalogue

OWN = ("seed", "pattern_seed")
"""Options of which every variant has its own value."""


@dataclass(frozen=True)
class Member:
    """Somebody whose models are in the pools.

    Attributes:
        name: `benign 3`, or the name of an attack with the number of its variant.
        attack: the table of the attack, with its name and options; None for an honest provider.
        number: among its kind; an honest provider's way of computing derives from it.
    """

    name: str
    attack: Mapping[str, Any] | None
    number: int

    @property
    def malicious(self) -> bool:
        """Whether it attacks."""
        return self.attack is not None

    @property
    def kind(self) -> str:
        """The name without the number."""
        return self.name.rpartition(" ")[0]


def members_of(benign: int, attacks: Sequence[AttackUse], classes: int, plugins: Catalogue) -> list[Member]:
    """Everybody: the honest ones first, then each variant of each attack.

    Args:
        benign: how many honest ones.
        attacks: the adversaries.
        classes: of the task, which targets are taken from.
        plugins: where attacks are found.

    Raises:
        PluginError: an attack cannot be loaded.
    """
    found = [Member(f"benign {number}", None, number) for number in range(benign)]
    counts: dict[str, int] = {}
    for use in attacks:
        label = _label(use.name, use.options)
        for variant in range(use.variants):
            number = counts.get(label, 0)
            counts[label] = number + 1
            found.append(Member(f"{label} {number}", _varied(use.table, variant, classes, plugins), number))
    return found


def _label(name: str, options: Mapping[str, Any]) -> str:
    """The attack with the options that were given, and those that it wraps: `low_rate ratio=0.1 of badnets`."""
    words = [name]
    for key, value in options.items():
        if not isinstance(value, Mapping):
            words.append(f"{key}={'+'.join(map(str, value)) if isinstance(value, list | tuple) else value}")
    if isinstance(inner := options.get("attack"), Mapping):
        words += ["of", _label(str(inner.get("name")), {key: value for key, value in inner.items() if key != "name"})]
    return " ".join(words)


def _varied(table: Mapping[str, Any], variant: int, classes: int, plugins: Catalogue) -> dict[str, Any]:
    """The same attack with another backdoor, at the innermost of attacks that wrap one another."""
    options = dict(table)
    if isinstance(inner := options.get("attack"), dict):
        return options | {"attack": _varied(inner, variant, classes, plugins)}
    if variant == 0:
        return options
    known = plugins.load("attacks", str(options["name"])).Options.model_fields
    for name in OWN:
        if name in known:
            options[name] = options.get(name, 0) + variant
    if "target" in known:
        options["target"] = (options.get("target", 0) + variant) % classes
    return options
