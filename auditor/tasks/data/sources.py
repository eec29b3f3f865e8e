"""Where datasets come from: one function for each form of the `dataset` key that holds images."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import visible
from auditor.job.image_task import ImageTask
from auditor.tasks.data.dataset import Dataset, check_memory, make_dataset
from auditor.tasks.data.image_dataset import load_images
from auditor.tasks.data.known_classes import KnownClasses
from auditor.tasks.data.likeness import read_like
from auditor.tasks.data.torchvision_sets import load_torchvision
from auditor.tasks.errors import TrainingError

TENSORS = ("images", "labels", "test_images", "test_labels")


def load_image_dataset(task: ImageTask, downloads: Path) -> Dataset:
    """Load the dataset that a task on images names.

    Args:
        task: with the key `dataset`, and `like` where it is read like another.
        downloads: the folder that torchvision keeps its datasets in.

    Raises:
        TrainingError: it is not there or not a dataset; says what to do.
    """
    if task.like is None:
        return _load(task, downloads)
    first = _load(task.model_copy(update={"dataset": task.like}), downloads)
    known = KnownClasses(first.class_names, task.like)
    return read_like(_load(task, downloads, known), first, task.dataset, task.like)


def _load(task: ImageTask, downloads: Path, known: KnownClasses | None = None) -> Dataset:
    kind, _, rest = task.dataset.partition(":")
    if kind == "torchvision":
        return load_torchvision(rest, downloads, task.image_options)
    if kind == "images":
        held_out = None if task.held_out is None else Path(task.held_out.partition(":")[2])
        return load_images(Path(rest), task.image_options, held_out, known)
    return _tensors(Path(rest)) if kind == "tensors" else _digits()


def _digits() -> Dataset:
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
