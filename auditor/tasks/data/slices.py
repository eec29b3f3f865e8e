"""Cutting the training samples of a dataset into named slices."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from auditor.base.randomness import generator
from auditor.job.dataset_slice import TRAIN, Stream, stream_index
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark, counted

SEED = 0
"""All jobs cut a dataset alike, so that a later job finds the slices that an earlier one left."""


def cut(dataset: Dataset, stream: Stream, name: str) -> Dataset:
    """The dataset of which only a slice of the training samples is trained on.

    Held-out samples, classes, tokens and the scale of images are those of the whole dataset, so that a checkpoint of
    one slice fits all of them.

    Args:
        dataset: the whole.
        stream: how it is divided.
        name: `train` or `stream[I]`.

    Raises:
        TrainingError: there are too few samples.
    """
    whole = len(dataset.samples)
    first = _first(whole, stream)
    if first == 0 or whole - first < stream.slices:
        raise TrainingError(
            f"task.stream: {whole:,} training samples are too few for the slice {TRAIN!r} and {stream.slices:,} "
            "others. Use fewer slices, or more samples."
        )
    chosen = _indices(whole, stream, name)
    remark = Remark("note", f"the slice {name}: {len(chosen):,} of {counted(whole, 'training sample')}")
    return replace(dataset.restricted(chosen), remarks=(*dataset.remarks, remark))


def _first(count: int, stream: Stream) -> int:
    """How many of `count` samples are in the slice `train`."""
    return count - round(stream.share * count)


def _indices(count: int, stream: Stream, name: str) -> Tensor:
    """The indices of a slice among `count` samples, in the order of the dataset."""
    shuffled = generator(SEED, "slices", 0).permutation(count)
    first = _first(count, stream)
    index = stream_index(name)
    if index is None:
        chosen = shuffled[:first]
    else:
        size = (count - first) / stream.slices
        chosen = shuffled[first + round(index * size) : first + round((index + 1) * size)]
    return torch.from_numpy(chosen).sort().values
