"""Text datasets: sentences of a file or of our own, as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from auditor.job.text import TextTask
from auditor.tasks.data.dataset import MAX_CLASSES, Dataset, set_aside
from auditor.tasks.data.reviews import write_reviews
from auditor.tasks.data.tokenizer import VOCABULARY_SIZE, make_tokenizer, read_tokenizer
from auditor.tasks.data.tsv import SentenceFile
from auditor.tasks.errors import TrainingError

MAX_LENGTH = 64

Part = tuple[list[str], list[int]]
"""Sentences and their labels."""


def load_text(task: TextTask) -> Dataset:
    """The dataset of a text task.

    Its tokenizer is made from the sentences that are trained on, the held-out ones not among them.

    Raises:
        TrainingError: a file is not there or not what it should be; says what to do.
    """
    training, held_out = _parts(task)
    if task.tokenizer is not None:
        tokenizer = read_tokenizer(Path(task.tokenizer), training[0], held_out[0])
    else:
        tokenizer = make_tokenizer(training[0], task.vocabulary_size or VOCABULARY_SIZE)
    classes = max(*training[1], *held_out[1]) + 1
    if not 2 <= classes <= MAX_CLASSES:
        raise TrainingError(
            f"{task.dataset}: its largest label is {classes - 1}; at least two classes are needed, and labels from 0 "
            f"to {MAX_CLASSES - 1}."
        )
    length = task.max_length or MAX_LENGTH
    return Dataset(
        samples=tokenizer.samples(training[0], length),
        labels=torch.tensor(training[1]),
        held_out_samples=tokenizer.samples(held_out[0], length),
        held_out_labels=torch.tensor(held_out[1]),
        classes=classes,
        tokenizer=tokenizer,
    )


def _parts(task: TextTask) -> tuple[Part, Part]:
    if task.dataset == "reviews":
        return _split(*write_reviews())
    whole = SentenceFile(_path(task.dataset))
    if task.held_out is None:
        return _split(whole.texts, whole.labels)
    part = SentenceFile(_path(task.held_out), whole.classes)
    return (whole.texts, whole.labels), (part.texts, part.labels)


def _split(texts: Sequence[str], labels: Sequence[int]) -> tuple[Part, Part]:
    aside, kept = (_chosen(texts, labels, part.tolist()) for part in set_aside(len(texts)))
    return kept, aside


def _chosen(texts: Sequence[str], labels: Sequence[int], indices: Sequence[int]) -> Part:
    return [texts[index] for index in indices], [labels[index] for index in indices]


def _path(dataset: str) -> Path:
    return Path(dataset.partition(":")[2])
