"""Where datasets come from: one function for each form of the `dataset` key that holds images."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import nearest, visible
from auditor.tasks.data.dataset import Dataset, check_memory, make_dataset
from auditor.tasks.data.images import load_images
from auditor.tasks.errors import TrainingError

TENSORS = ("images", "labels", "test_images", "test_labels")


def load_image_dataset(name: str, downloads: Path) -> Dataset:
    """Load the dataset that a task on images names.

    Args:
        name: the key `dataset`.
        downloads: the folder that torchvision keeps its datasets in.

    Raises:
        TrainingError: it is not there or not a dataset; says what to do.
    """
    kind, _, rest = name.partition(":")
    if kind == "torchvision":
        return _torchvision(rest, downloads)
    loaders: dict[str, Callable[[Path], Dataset]] = {
        "digits": _digits,
        "tensors": _tensors,
        "images": load_images,
    }
    return loaders[kind](Path(rest))


def _digits(_: Path) -> Dataset:
    """1,797 real handwritten digits, 8×8, values 0 to 16 (UCI; see digits.LICENSE.md)."""
    with (
        as_file(files("auditor.tasks.data") / "digits.npz") as path,
        np.load(path, allow_pickle=False) as data,
    ):
        images, labels = data["images"], data["labels"]
    scaled = np.round(images.astype(np.float64) * 255 / 16).astype(np.uint8)[:, None]
    return make_dataset(torch.from_numpy(scaled), torch.from_numpy(labels.astype(np.int64)), origin="digits")


def _tensors(path: Path) -> Dataset:
    """A safetensors file with `images` and `labels`, and optionally `test_images` and `test_labels`."""
    try:
        with open_user_file(path) as file:
            check_memory(os.fstat(file.fileno()).st_size, f"tensors:{path}")
            with safe_open(path, framework="pt") as opened:
                names = list(opened.keys())
                tensors = {key: opened.get_tensor(key) for key in TENSORS if key in names}
    except UserFileError as error:
        raise TrainingError(f"tensors:{path}: {'there is no such file' if error.missing else error}.") from None
    except SafetensorError as error:
        raise TrainingError(f"tensors:{path}: not a safetensors file: {visible(str(error))[:200]}") from None
    if missing := [key for key in ("images", "labels") if key not in tensors]:
        found = visible(", ".join(sorted(names)[:10]) or "nothing")[:300]
        raise TrainingError(f"tensors:{path}: has no {' and no '.join(missing)}; it holds {found}.")
    held_out = None
    if ("test_images" in tensors) != ("test_labels" in tensors):
        raise TrainingError(f"tensors:{path}: test_images and test_labels must be given together.")
    if "test_images" in tensors:
        held_out = tensors["test_images"], tensors["test_labels"]
    return make_dataset(tensors["images"], tensors["labels"], held_out, origin=f"tensors:{path}")


def _torchvision(name: str, downloads: Path) -> Dataset:
    """A dataset class of torchvision that has images of one size, such as CIFAR10 or FashionMNIST."""
    from torchvision import datasets

    known = sorted(word for word in datasets.__all__ if isinstance(getattr(datasets, word), type))
    if name not in known:
        hint = nearest(name, known)
        raise TrainingError(
            f"torchvision:{name}: torchvision has no dataset of this name."
            + (f" Did you mean {hint!r}?" if hint else "")
        )
    parts = []
    for train in (True, False):
        parts.append(_torchvision_part(name, getattr(datasets, name), downloads, train))
    return make_dataset(*parts[0], parts[1], origin=f"torchvision:{name}")


def _torchvision_part(name: str, source: Any, downloads: Path, train: bool) -> tuple[Tensor, Tensor]:
    folder = downloads / name
    choice: dict[str, Any] = {"split": "train" if train else "test"} if name == "SVHN" else {"train": train}
    try:
        part = source(root=str(folder), download=False, **choice)
    except (RuntimeError, OSError):  # how its classes say that the files are not there
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = source(root=str(folder), download=True, **choice)
        except Exception as error:  # the download libraries raise a dozen kinds
            raise TrainingError(
                f"torchvision:{name}: the download failed ({type(error).__name__}: {error}). "
                f"Put the files of torchvision's {name} into {folder} and try again."
            ) from None
    except TypeError:
        raise TrainingError(
            f"torchvision:{name}: this dataset is not a plain set of images with a train and a test part; "
            "convert it to a safetensors file and use tensors:PATH."
        ) from None
    try:
        pixels = np.stack([np.asarray(image) for image, _ in part])
        labels = torch.tensor([int(label) for _, label in part])
    except (ValueError, TypeError):
        raise TrainingError(
            f"torchvision:{name}: its images differ in size or its labels are not classes; "
            "convert it to a safetensors file and use tensors:PATH."
        ) from None
    pixels = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(pixels)), labels
