"""What tells the settings of a study apart."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.experiments.evolving.settings import Setting

OWNERS = ("attack", "drift", "schedule")
"""Quantities that have options of their own, which others lack."""


def varied(settings: Sequence[Setting]) -> list[str]:
    """The names of the quantities that differ among settings, those of attacks first.

    An option that only one attack, drift or schedule has differs if it does so among the settings with that one.
    """
    every = [setting.quantities() for setting in settings]
    of_attacks = dict.fromkeys(name for setting in settings for name in setting.of_attack())
    names = of_attacks | dict.fromkeys(name for quantities in every for name in quantities)
    found = []
    for name in names:
        values = {repr(quantities[name]) for quantities in every if quantities.get(name) is not None}
        owned: dict[tuple[object, ...], set[str]] = {}
        for quantities in every:
            owned.setdefault(tuple(quantities[owner] for owner in OWNERS), set()).add(repr(quantities.get(name)))
        if len(values) > 1 or any(len(within) > 1 for within in owned.values()):
            found.append(name)
    return found
