"""Reading one dataset like another, so that a model of that one can be trained further on this one."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import torch

from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.errors import TrainingError


def read_like(dataset: Dataset, first: Dataset, origin: str, like: str) -> Dataset:
    """Images with the classes and the scale of other images.

    A class is found by its name, whatever its number is here. One that has no images here stays without.

    Args:
        dataset: as it was read.
        first: what it is to be like.
        origin: how messages call the dataset.
        like: how messages call the other.

    Raises:
        TrainingError: images have another size or other channels, or there is a class that the other lacks.
    """
    if dataset.shape != first.shape:
        channels = dataset.shape[0] != first.shape[0]
        key = "task.channels" if channels else "task.size = [HEIGHT, WIDTH]"
        raise TrainingError(
            f"{origin}: has {dataset.sample_words}, and {like} has {first.sample_words}. Make all images alike, or "
            f"set {key} to have images of files read alike."
        )
    numbers = torch.tensor(KnownClasses(first.class_names, like).numbers(dataset.class_names, origin))
    return replace(
        dataset,
        labels=numbers[dataset.labels],
        held_out_labels=numbers[dataset.held_out_labels],
        classes=first.classes,
        class_names=first.class_names,
        known_statistics=first.statistics,
        form=form_of(first),
    )


def form_of(dataset: Dataset) -> str:
    """SHA-256 of what another dataset gets from this one beside the tokenizer: the classes and the scale of images."""
    sha = hashlib.sha256(repr(dataset.class_names).encode())
    if dataset.tokenizer is None:
        for tensor in dataset.statistics:
            sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()
