"""What was read of a task's data, in words and counts: nothing is used, dropped or converted in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

RemarkKind = Literal["left out", "converted", "note"]
SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class Remark:
    """One thing that a person who brought the data should know.

    Attributes:
        kind: `left out` of the data, `converted`, or a `note`.
        text: what, with a count and examples; the beginning of a sentence in lower case.
    """

    kind: RemarkKind
    text: str


SET_ASIDE = Remark("note", "a tenth of the samples is set aside as held-out samples")


def of_held_out(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Remarks on a file of held-out samples, told apart from those on the training samples."""
    return tuple(replace(remark, text=f"held-out file: {remark.text}") for remark in remarks)


@dataclass(frozen=True)
class ClassCount:
    """A class and the number of its samples in each part."""

    name: str
    training: int
    held_out: int


@dataclass(frozen=True)
class Inventory:
    """What a task's data holds.

    Attributes:
        training: the number of samples that are trained on.
        held_out: the number of samples that models are compared and tested on.
        sample: what a sample is, such as `gray images of 28 × 28 pixels`.
        classes: in the order of their numbers; empty where a kind of task has none.
        remarks: what was left out, converted, or is noteworthy.
    """

    training: int
    held_out: int
    sample: str
    classes: tuple[ClassCount, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def class_count(self) -> int:
        """The number of classes."""
        return len(self.classes)


def class_counts(names: Sequence[str], training: Iterable[int], held_out: Iterable[int]) -> tuple[ClassCount, ...]:
    """Count the samples of each class.

    Args:
        names: of the classes, by number.
        training: the labels of the training samples.
        held_out: the labels of the held-out samples.
    """
    counts = Counter(training), Counter(held_out)
    return tuple(ClassCount(name, counts[0][number], counts[1][number]) for number, name in enumerate(names))


def class_remarks(classes: Sequence[ClassCount]) -> tuple[Remark, ...]:
    """What the counts of classes show: those without samples in a part."""
    found = []
    for part in ("training", "held_out"):
        empty = [known.name for known in classes if getattr(known, part) == 0]
        if empty:
            words = part.replace("_", "-")
            found.append(
                Remark("note", f"{counted(len(empty), 'class', 'classes')} without {words} samples: {few(empty)}")
            )
    return tuple(found)


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: `1 image`, `1,200 images`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def few(names: Sequence[str], most: int = SHOWN_EXAMPLES) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
