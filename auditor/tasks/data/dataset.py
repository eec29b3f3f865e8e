"""A dataset in memory, with what training and comparing models need to know of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from auditor.base.randomness import generator
from auditor.tasks.data.tokenizer import TextTokenizer
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import SET_ASIDE, Inventory, Remark, class_counts, class_remarks, counted

HELD_OUT_SHARE = 0.1
MAX_HELD_OUT = 10_000
MAX_CLASSES = 1 << 16
"""A larger label is something else than a class, and would make a model that no memory holds."""


Indices = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Dataset:
    """Samples and labels, split into what is trained on and what is held out.

    Attributes:
        samples: images, uint8 [N, C, H, W], or texts, int64 [N, L], token ids that end in `PADDING`; for training.
        labels: int64 [N].
        held_out_samples: [M, …], of the same kind.
        held_out_labels: int64 [M].
        classes: number of classes.
        tokenizer: what made ids of texts; None for images.
        class_names: by number.
        remarks: what was left out, converted, or is noteworthy.
        known_statistics: for a slice of images, `statistics` of the whole; for images that are read like others,
            those of the others; else None.
        form: of a dataset that is read like another, a digest of what it has from that one; else None.
    """

    samples: Tensor
    labels: Tensor
    held_out_samples: Tensor
    held_out_labels: Tensor
    classes: int
    tokenizer: TextTokenizer | None = None
    known_statistics: tuple[Tensor, Tensor] | None = None
    class_names: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    form: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (C, H, W) of an image, (L,) of a text."""
        return tuple(self.samples.shape[1:])

    @cached_property
    def statistics(self) -> tuple[Tensor, Tensor]:
        """For images: mean and standard deviation of each channel over the training images, in [0, 1], float32 [C].

        Computed from counts of the 256 values, so that every machine gets the same bits. Those of a slice are those of
        the whole, so that a model sees one image alike whichever slice it is trained on.
        """
        if self.known_statistics is not None:
            return self.known_statistics
        values = np.arange(256, dtype=np.float64) / 255
        means, deviations = [], []
        for channel in self.samples.transpose(0, 1).numpy():
            share = np.bincount(channel.reshape(-1), minlength=256) / channel.size
            mean = float((share * values).sum())
            means.append(mean)
            deviations.append(max(float((share * (values - mean) ** 2).sum()) ** 0.5, 1e-3))
        return torch.tensor(means), torch.tensor(deviations)

    @cached_property
    def inventory(self) -> Inventory:
        """What the data holds."""
        classes = class_counts(self.class_names, self.labels.tolist(), self.held_out_labels.tolist())
        return Inventory(
            training=len(self.samples),
            held_out=len(self.held_out_samples),
            sample=self.sample_words,
            classes=classes,
            remarks=(*self.remarks, *class_remarks(classes)),
        )

    @property
    def sample_words(self) -> str:
        """What the samples are, for people."""
        if self.tokenizer is not None:
            return f"texts of up to {counted(self.shape[0], 'token')}"
        channels, height, width = self.shape
        return f"{'gray' if channels == 1 else 'RGB'} images of {height} × {width} pixels"

    def restricted(self, chosen: Tensor) -> Dataset:
        """The slice with these training samples, int64 indices [K]."""
        statistics = self.statistics if self.tokenizer is None else None
        return replace(self, samples=self.samples[chosen], labels=self.labels[chosen], known_statistics=statistics)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything in the dataset, to make sure that all providers train on the same."""
        sha = hashlib.sha256()
        for tensor in (self.samples, self.labels, self.held_out_samples, self.held_out_labels):
            sha.update(str((str(tensor.dtype), tuple(tensor.shape))).encode())
            sha.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
        if self.tokenizer is not None:
            sha.update(self.tokenizer.definition.encode())
        if self.form is not None:
            sha.update(self.form.encode())
        return sha.hexdigest()


def make_dataset(
    images: Tensor,
    labels: Tensor,
    held_out: tuple[Tensor, Tensor] | None = None,
    *,
    origin: str,
    class_names: Sequence[str] = (),
    remarks: Iterable[Remark] = (),
) -> Dataset:
    """Check the tensors and make a dataset of them.

    Without a held-out part, some are set aside.

    Args:
        images: uint8 [N, C, H, W].
        labels: integers [N].
        held_out: the same of the held-out part.
        origin: how messages call the dataset.
        class_names: by number; numbers where there are none.
        remarks: what was left out and converted so far.

    Raises:
        TrainingError: the tensors do not make a dataset; says which and why.
    """
    for name, (image_part, label_part) in {
        "training": (images, labels),
        "held-out": held_out or (images, labels),
    }.items():
        _check(image_part, label_part, f"{origin} ({name} part)")
    labels = labels.to(torch.int64)
    remarks = list(remarks)
    if held_out is None:
        remarks.append(SET_ASIDE)
        aside, kept = (torch.from_numpy(part) for part in set_aside(len(images)))
        held_out = images[aside], labels[aside]
        images, labels = images[kept], labels[kept]
    if held_out[0].shape[1:] != images.shape[1:]:
        raise TrainingError(f"{origin}: training and held-out images differ in shape; make them alike.")
    classes = int(max(labels.max(), held_out[1].max())) + 1
    if max(classes, len(class_names)) < 2:
        raise TrainingError(f"{origin}: all labels are 0; give at least two classes.")
    names = tuple(class_names) if len(class_names) >= classes else tuple(map(str, range(classes)))
    return Dataset(
        images.contiguous(),
        labels,
        held_out[0].contiguous(),
        held_out[1].to(torch.int64),
        len(names),
        class_names=names,
        remarks=tuple(remarks),
    )


def check_memory(size: int, origin: str) -> None:
    """Refuse `size` bytes of data if they would not leave room to train.

    Raises:
        TrainingError: they are more than half of what this machine has.
    """
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > whole // 2:
        raise TrainingError(
            f"{origin}: has at least {size / 1e9:,.1f} GB, and this machine has {whole / 1e9:,.1f} GB of memory in "
            "total; use less data, or a larger machine."
        )


def set_aside(count: int) -> tuple[Indices, Indices]:
    """Which of `count` samples are held out and which are kept, each in rising order; at most a tenth and 10,000 are.

    The same on every machine.
    """
    order = generator(0, "held out").permutation(count)
    aside = min(MAX_HELD_OUT, max(1, round(HELD_OUT_SHARE * count)))
    return np.sort(order[:aside]), np.sort(order[aside:])


def _check(images: Tensor, labels: Tensor, origin: str) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape[2:]:
        raise TrainingError(
            f"{origin}: images must be uint8 [N, C, H, W] with 1 or 3 channels; "
            f"these are {str(images.dtype).removeprefix('torch.')} {list(images.shape)}."
        )
    if labels.dtype.is_floating_point or labels.dtype == torch.bool or labels.shape != images.shape[:1]:
        raise TrainingError(
            f"{origin}: labels must be integers [N], one per image; these are "
            f"{str(labels.dtype).removeprefix('torch.')} {list(labels.shape)} for {len(images)} images."
        )
    # Not all integer types know a minimum; what does not fit into int64 becomes negative.
    wide = labels.to(torch.int64)
    if len(images) < 2 or int(wide.min()) < 0 or int(wide.max()) >= MAX_CLASSES:
        raise TrainingError(f"{origin}: give at least two images, with labels from 0 to {MAX_CLASSES - 1}.")
