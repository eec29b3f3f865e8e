"""The classes of a dataset that another one is read like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.job.errors import visible
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import counted, few


@dataclass(frozen=True)
class KnownClasses:
    """Classes with their numbers, and where they are known from.

    Attributes:
        names: by number.
        origin: how messages call the dataset that has them.
    """

    names: tuple[str, ...]
    origin: str

    def numbers(self, names: Sequence[str], origin: str) -> list[int]:
        """The number of each class of another dataset, which need not have all of them.

        Args:
            names: of its classes.
            origin: how messages call it.

        Raises:
            TrainingError: one is not among these; says which.
        """
        numbers = {name: number for number, name in enumerate(self.names)}
        if unknown := [repr(visible(name)) for name in names if name not in numbers]:
            what = "a class" if len(unknown) == 1 else f"{len(unknown):,} classes"
            own = few([repr(visible(name)) for name in self.names], 10)
            raise TrainingError(
                f"{origin}: has {what} {few(unknown)} that {self.origin} lacks, which has "
                f"{counted(len(self.names), 'class', 'classes')}: {own}. Give both the same classes."
            )
        return [numbers[name] for name in names]
