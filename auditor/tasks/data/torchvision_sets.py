"""The datasets of torchvision that hold images with one label each."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from auditor.job.errors import nearest
from auditor.job.image_options import ImageOptions
from auditor.tasks.data.dataset import Dataset, make_dataset
from auditor.tasks.data.image_dataset import PictureStack
from auditor.tasks.data.image_decoding import to_picture
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark

HELD_OUT_SPLITS = ("test", "val", "valid", "extra")
"""What a set calls the part that models are tested on; the first that it has is taken."""

VARIANTS = {"EMNIST": "balanced"}
"""Sets that come in several variants, chosen by `torchvision:NAME/VARIANT`, with the one that is taken otherwise."""


def load_torchvision(name: str, downloads: Path, options: ImageOptions) -> Dataset:
    """A set of torchvision, such as CIFAR10, GTSRB or EMNIST/letters; case, `-` and `_` in the name do not matter.

    Args:
        name: of its class in `torchvision.datasets`, and a variant behind a slash.
        downloads: the folder that sets are downloaded to.
        options: how images become pixels.

    Raises:
        TrainingError: there is no such set, it cannot be downloaded, or it is of another kind.
    """
    word, _, variant = name.partition("/")
    found, source = _find(word, name)
    if variant and found not in VARIANTS:
        raise TrainingError(f"torchvision:{name}: {found} has no variants; use torchvision:{found}.")
    variant = variant or VARIANTS.get(found, "")
    parts = [
        _open(found, source, downloads, _choices(source, variant, train=train, name=name)) for train in (True, False)
    ]
    names = _class_names(parts[0])
    remarks = [Remark("note", f"the variant {variant!r} of {found}")] if variant else []
    if options == ImageOptions() and (plain := _plain(parts)) is not None:
        training, held_out = plain
        return make_dataset(*training, held_out, origin=f"torchvision:{name}", class_names=names, remarks=remarks)
    stack = PictureStack(f"torchvision:{name}", options)
    labels = [_add(stack, part, name, options) for part in parts]
    images, split = stack.images(), len(labels[0])
    return make_dataset(
        images[:split],
        torch.tensor(labels[0]),
        (images[split:], torch.tensor(labels[1])),
        origin=f"torchvision:{name}",
        class_names=names,
        remarks=(*remarks, *stack.remarks()),
    )


def _find(word: str, name: str) -> tuple[str, Any]:
    """The set that a name means, whatever its case."""
    from torchvision import datasets

    known = {_plainly(each): each for each in datasets.__all__ if isinstance(getattr(datasets, each), type)}
    if (found := known.get(_plainly(word))) is None:
        hint = nearest(_plainly(word), known)
        raise TrainingError(
            f"torchvision:{name}: torchvision has no dataset of this name."
            + (f" Did you mean {known[hint]!r}?" if hint else "")
        )
    return found, getattr(datasets, found)


def _plainly(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _choices(source: Any, variant: str, *, train: bool, name: str) -> list[Mapping[str, Any]]:
    """The arguments that choose a part, in the order in which they are tried."""
    parameters = inspect.signature(source.__init__).parameters
    if variant:
        return [{"split": variant, "train": train}]
    if "train" in parameters:
        return [{"train": train}]
    if "split" in parameters and "target_type" not in parameters:  # which chooses among labels of other kinds
        return [{"split": split} for split in (("train",) if train else HELD_OUT_SPLITS)]
    raise _of_another_kind(name)


def _open(name: str, source: Any, downloads: Path, choices: Sequence[Mapping[str, Any]]) -> Any:
    """One part of a set, downloaded if it is not there."""
    folder = downloads / name
    refusal: Exception | None = None
    for choice in choices:
        try:
            return source(root=str(folder), download=False, **choice)
        except ValueError as error:  # it has no split of this name
            refusal = error
        except (RuntimeError, OSError):  # how its classes say that the files are not there
            return _download(name, source, folder, choice)
        except TypeError:
            raise _of_another_kind(name) from None
    raise TrainingError(f"torchvision:{name}: it has no such part: {refusal}")


def _download(name: str, source: Any, folder: Path, choice: Mapping[str, Any]) -> Any:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return source(root=str(folder), download=True, **choice)
    except Exception as error:  # the download libraries raise a dozen kinds
        raise TrainingError(
            f"torchvision:{name}: the download failed ({type(error).__name__}: {error}). "
            f"Put the files of torchvision's {name} into {folder} and try again."
        ) from None


def _plain(parts: Sequence[Any]) -> list[tuple[Tensor, Tensor]] | None:
    """The pixels and labels of sets whose images are alike and have 8 bits; None for others."""
    found = []
    for part in parts:
        try:
            pixels = np.stack([np.asarray(image) for image, _ in part])
            labels = torch.tensor([int(label) for _, label in part])
        except (ValueError, TypeError):
            return None
        if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4):
            return None
        pixels = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
        found.append((torch.from_numpy(np.ascontiguousarray(pixels)), labels))
    return found


def _add(stack: PictureStack, part: Any, name: str, options: ImageOptions) -> list[int]:
    labels = []
    try:
        for number, (image, label) in enumerate(part):
            stack.add(to_picture(image, f"torchvision:{name}: image {number:,}", options), f"image {number:,}")
            labels.append(int(label))
    except (ValueError, TypeError, AttributeError):
        raise _of_another_kind(name) from None
    return labels


def _class_names(part: Any) -> tuple[str, ...]:
    names = getattr(part, "classes", None)
    if isinstance(names, list | tuple) and all(isinstance(each, str) for each in names):
        return tuple(names)
    return ()


def _of_another_kind(name: str) -> TrainingError:
    return TrainingError(
        f"torchvision:{name}: this dataset is not a plain set of images with one label each, a train and a test part; "
        "convert it to a safetensors file and use tensors:PATH."
    )
