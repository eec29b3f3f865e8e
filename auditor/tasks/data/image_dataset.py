"""Reading a folder of images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auditor.job.errors import visible
from auditor.job.image_options import ImageOptions
from auditor.tasks.data.dataset import Dataset, check_memory, make_dataset
from auditor.tasks.data.image_decoding import Picture, Pixels, read_picture
from auditor.tasks.data.image_folder import ImageFolder, find_images
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark, counted


def load_images(
    path: Path, options: ImageOptions, held_out: Path | None = None, known: KnownClasses | None = None
) -> Dataset:
    """A folder with a folder of images for each class, at any depth.

    Args:
        path: the folder.
        options: how images become pixels.
        held_out: the folder of the held-out part, if the job names one.
        known: the classes that there may be, if they are known from another dataset.

    Raises:
        TrainingError: it is not such a folder; names the file and what is wrong with it.
        OSError: a folder cannot be read.
    """
    origin = f"images:{path}"
    found = find_images(path, held_out, known)
    stack = PictureStack(origin, options)
    training = _add(stack, found.training, origin, options)
    aside = None if found.held_out is None else _add(stack, found.held_out, origin, options)
    images = stack.images()
    split = len(training)
    return make_dataset(
        images[:split],
        torch.tensor(training),
        None if aside is None else (images[split:], torch.tensor(aside)),
        origin=origin,
        class_names=found.training.classes,
        remarks=(*found.remarks, *stack.remarks()),
    )


class PictureStack:
    """Pictures of one size, and what was done to them.

    Args:
        origin: how messages call the dataset.
        options: how images became pixels.
    """

    def __init__(self, origin: str, options: ImageOptions) -> None:
        self._origin = origin
        self._options = options
        self._pixels: list[Pixels] = []
        self._changes: Counter[str] = Counter()

    def add(self, picture: Picture, name: str) -> None:
        """Add one.

        Raises:
            TrainingError: it has another size than those before, or there are too many for this machine's memory.
        """
        pixels = picture.pixels
        if self._pixels and pixels.shape[1:] != self._pixels[0].shape[1:]:
            sizes = [" × ".join(map(str, shape[1:])) for shape in (pixels.shape, self._pixels[0].shape)]
            raise TrainingError(
                f"{self._origin}: {name} has {sizes[0]} pixels (height × width) and those before have {sizes[1]}. Make "
                "all images alike, or set task.size = [HEIGHT, WIDTH] to have them resized."
            )
        self._pixels.append(pixels)
        self._changes.update(picture.changes)
        check_memory(len(self._pixels) * pixels.nbytes, self._origin)

    def images(self) -> Tensor:
        """All of them, uint8 [N, C, H, W]; gray ones have three equal channels where others have colours."""
        channels = max(len(pixels) for pixels in self._pixels)
        whole = np.empty((len(self._pixels), channels, *self._pixels[0].shape[1:]), dtype=np.uint8)
        for place, pixels in zip(whole, self._pixels, strict=True):
            place[:] = pixels
        return torch.from_numpy(whole)

    def remarks(self) -> Iterator[Remark]:
        """What was converted, in words."""
        for change, count in self._changes.most_common():
            yield Remark("converted", f"{counted(count, 'image')} {change}")
        gray = sum(len(pixels) == 1 for pixels in self._pixels)
        if 0 < gray < len(self._pixels):
            yield Remark(
                "converted", f"{counted(gray, 'gray image')} got three equal channels, because others have colours"
            )


def _add(stack: PictureStack, folder: ImageFolder, origin: str, options: ImageOptions) -> list[int]:
    """Read the images of one part; their labels."""
    labels = []
    for file, label in folder.files:
        stack.add(read_picture(file, origin, options), visible(str(file)))
        labels.append(label)
    return labels
