"""Text datasets: sentences of a file or of our own, as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from auditor.job.text import TextTask
from auditor.tasks.data.dataset import Dataset, set_aside
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.data.labelled_texts import LabelledTexts, labelled_texts
from auditor.tasks.data.likeness import form_of
from auditor.tasks.data.reviews import write_reviews
from auditor.tasks.data.table_file import read_table
from auditor.tasks.data.tokenizer import VOCABULARY_SIZE, make_tokenizer, read_tokenizer
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import SET_ASIDE, Remark, of_held_out

MAX_LENGTH = 64

Part = tuple[Sequence[str], Sequence[int]]
"""Sentences and their labels."""


def load_text(task: TextTask) -> Dataset:
    """The dataset of a text task.

    Its tokenizer is made from the sentences that are trained on, the held-out ones not among them.

    Raises:
        TrainingError: a file is not there or not what it should be; says what to do.
    """
    if task.like is None:
        return _load(task)
    first = _load(task.model_copy(update={"dataset": task.like}))
    return replace(_load(task, first), form=form_of(first))


def _load(task: TextTask, first: Dataset | None = None) -> Dataset:
    """The dataset; with the classes and the tokenizer of another if it is to be read like that one."""
    parts = _parts(task, None if first is None else first.class_names)
    training, held_out, classes = parts.training, parts.held_out, parts.classes
    if first is not None and first.tokenizer is not None:
        tokenizer = first.tokenizer
    elif task.tokenizer is not None:
        tokenizer = read_tokenizer(Path(task.tokenizer), training[0], held_out[0])
    else:
        tokenizer = make_tokenizer(training[0], task.vocabulary_size or VOCABULARY_SIZE)
    if len(classes) < 2:
        raise TrainingError(f"{task.dataset}: all labels are {classes[0]!r}; at least two classes are needed.")
    length = task.max_length or MAX_LENGTH
    return Dataset(
        samples=tokenizer.samples(training[0], length),
        labels=torch.tensor(training[1]),
        held_out_samples=tokenizer.samples(held_out[0], length),
        held_out_labels=torch.tensor(held_out[1]),
        classes=len(classes),
        tokenizer=tokenizer,
        class_names=classes,
        remarks=parts.remarks,
    )


@dataclass(frozen=True)
class _Parts:
    training: Part
    held_out: Part
    classes: tuple[str, ...]
    remarks: tuple[Remark, ...]


def _parts(task: TextTask, classes: Sequence[str] | None) -> _Parts:
    if task.dataset == "reviews":
        return _divided(_reviews(task, classes))
    whole = labelled_texts(read_table(task.dataset), task.text_column, task.label_column, classes)
    if task.held_out is None:
        return _divided(whole)
    held_out = labelled_texts(read_table(task.held_out), task.text_column, task.label_column, whole.classes)
    remarks = (*whole.remarks, *of_held_out(held_out.remarks))
    parts = (whole.texts, whole.labels), (held_out.texts, held_out.labels)
    return _Parts(*parts, whole.classes, remarks)


def _reviews(task: TextTask, classes: Sequence[str] | None) -> LabelledTexts:
    names: tuple[str, ...] = ("blame", "praise")
    texts, labels = write_reviews()
    if classes is not None:
        numbers = KnownClasses(tuple(classes), task.like or "").numbers(names, task.dataset)
        names, labels = tuple(classes), [numbers[label] for label in labels]
    return LabelledTexts(texts, labels, names, ())


def _divided(whole: LabelledTexts) -> _Parts:
    """The texts with some set aside."""
    aside, kept = (_chosen(whole, part.tolist()) for part in set_aside(len(whole.texts)))
    return _Parts(kept, aside, whole.classes, (*whole.remarks, SET_ASIDE))


def _chosen(whole: LabelledTexts, indices: Sequence[int]) -> Part:
    return [whole.texts[index] for index in indices], [whole.labels[index] for index in indices]
