"""What was found in a study of models that keep learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from auditor.experiments.evolving.settings import Setting
from auditor.experiments.evolving.survival import Survival


@dataclass(frozen=True)
class Chain:
    """One instance of a setting: a model and its updates.

    Attributes:
        accuracy: on held-out samples that have drifted as the data of each update, the first training first; from 0 to
            1, None where it means nothing.
        success: of the attack on them, likewise.
        unchanged: the accuracy of the first model on them.
        start: the file of the first model, relative to the folder of the study.
        folder: where the rest was measured, likewise.
    """

    accuracy: tuple[float | None, ...]
    success: tuple[float | None, ...]
    unchanged: tuple[float | None, ...]
    start: str
    folder: str

    @property
    def successes(self) -> dict[int, float]:
        """The success after each update, where there is one."""
        return {update: value for update, value in enumerate(self.success) if value is not None}


@dataclass(frozen=True)
class Finding:
    """What was found of a setting.

    Attributes:
        setting: which.
        chains: of each instance.
        survivals: for each γ; none where nobody poisons.
    """

    setting: Setting
    chains: tuple[Chain, ...]
    survivals: tuple[Survival, ...]

    @cached_property
    def accuracy(self) -> list[float]:
        """The mean over instances after each update."""
        return _means([chain.accuracy for chain in self.chains])

    @cached_property
    def success(self) -> list[float]:
        """Likewise of the success; empty where the attack has none."""
        return _means([chain.success for chain in self.chains])

    @cached_property
    def unchanged(self) -> list[float]:
        """Likewise of the accuracy of the first models."""
        return _means([chain.unchanged for chain in self.chains])


def _means(rows: Sequence[Sequence[float | None]]) -> list[float]:
    found = []
    for column in zip(*rows, strict=True):
        known = [value for value in column if value is not None]
        if not known:
            return []
        found.append(sum(known) / len(known))
    return found
