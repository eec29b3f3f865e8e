"""A first look at the data of bundled kinds of task: quick, and without PyTorch; nothing is decoded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from auditor.job.image_task import ImageTask
from auditor.job.text import TextTask
from auditor.tasks.data.image_folder import find_images
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.data.labelled_texts import labelled_texts
from auditor.tasks.data.table_file import read_table
from auditor.tasks.inventory import SET_ASIDE, ClassCount, Inventory, Remark, class_counts, class_remarks, of_held_out

MOST_BYTES = 1 << 26
"""A larger table takes seconds to read."""
NOT_DECODED = Remark("note", "no image has been decoded so far; `auditor data` reads all of them")


def survey_images(task: ImageTask) -> Inventory | None:
    """The images of a folder, counted; None for other forms of data.

    Raises:
        TrainingError: it is no folder of images; says what to do.
        OSError: a folder cannot be read.
    """
    kind, _, path = task.dataset.partition(":")
    if kind != "images":
        return None
    held_out = None if task.held_out is None else Path(task.held_out.partition(":")[2])
    found = find_images(Path(path), held_out, _known_classes(task))
    counts = [Counter(label for _, label in part.files) for part in (found.training, found.held_out) if part]
    aside = counts[1] if len(counts) > 1 else Counter[int]()
    classes = tuple(
        ClassCount(name, counts[0][number], aside[number]) for number, name in enumerate(found.training.classes)
    )
    of_parts = (SET_ASIDE,) if found.held_out is None else class_remarks(classes)
    remarks = (*found.remarks, *of_parts, NOT_DECODED)
    return Inventory(sum(counts[0].values()), sum(aside.values()), "image files", classes, remarks)


def _known_classes(task: ImageTask) -> KnownClasses | None:
    """The classes of the folder of images that a task reads its dataset like."""
    kind, _, path = (task.like or "").partition(":")
    if task.like is None or kind != "images":
        return None
    return KnownClasses(find_images(Path(path)).training.classes, task.like)


def survey_texts(task: TextTask) -> Inventory | None:
    """The texts of a file of moderate size, counted; None for others.

    Raises:
        TrainingError: it is no table of texts; says what to do.
        OSError: the file cannot be read.
    """
    if "reviews" in (task.dataset, task.like):
        return None
    names = [name for name in (task.dataset, task.held_out, task.like) if name is not None]
    paths = [Path(name.partition(":")[2]) for name in names]
    if any(path.is_file() and path.stat().st_size > MOST_BYTES for path in paths):
        return None
    first = None if task.like is None else labelled_texts(read_table(task.like), task.text_column, task.label_column)
    classes = None if first is None else first.classes
    whole = labelled_texts(read_table(task.dataset), task.text_column, task.label_column, classes)
    if task.held_out is None:
        counts = class_counts(whole.classes, whole.labels, ())
        return Inventory(len(whole.texts), 0, "texts", counts, (*whole.remarks, SET_ASIDE))
    part = labelled_texts(read_table(task.held_out), task.text_column, task.label_column, whole.classes)
    counts = class_counts(whole.classes, whole.labels, part.labels)
    remarks = (*whole.remarks, *of_held_out(part.remarks), *class_remarks(counts))
    return Inventory(len(whole.texts), len(part.texts), "texts", counts, remarks)
