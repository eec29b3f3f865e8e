"""Sets of torchvision, from files laid out as it keeps them: found in any case, with splits and variants."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from tests.tasks.loading import load_dataset, network_task


def load(name: str, downloads: Path, **keys: Any) -> Dataset:
    return load_dataset(network_task(dataset=f"torchvision:{name}", **keys), downloads)


def idx(path: Path, values: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    """Write a file of the format that MNIST and its kin come in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(header + values.tobytes())


def numbers(folder: Path, prefix: str, names: tuple[str, str], count: int, classes: int) -> None:
    noise = np.random.default_rng(count)
    idx(folder / f"{prefix}{names[0]}", noise.integers(0, 256, (count, 28, 28), dtype=np.uint8))
    idx(folder / f"{prefix}{names[1]}", (np.arange(count) % classes).astype(np.uint8))


@pytest.mark.parametrize("name", ["MNIST", "mnist", "M-NIST"])
def test_names_are_found_in_any_case(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "MNIST" / "MNIST" / "raw"
    for prefix, count in (("train", 40), ("t10k", 20)):
        numbers(folder, prefix, ("-images-idx3-ubyte", "-labels-idx1-ubyte"), count, 10)
    found = load(name, tmp_path)
    assert (found.shape, len(found.labels), len(found.held_out_labels)) == ((1, 28, 28), 40, 20)
    assert found.inventory.classes[0].name == "0 - zero"


@pytest.mark.parametrize(("name", "variant"), [("EMNIST", "balanced"), ("emnist/letters", "letters")])
def test_variants_are_chosen_and_said(tmp_path: Path, name: str, variant: str) -> None:
    folder = tmp_path / "EMNIST" / "EMNIST" / "raw"
    for part, count in (("train", 60), ("test", 30)):
        numbers(folder, f"emnist-{variant}-{part}", ("-images-idx3-ubyte", "-labels-idx1-ubyte"), count, 10)
    found = load(name, tmp_path)
    assert (len(found.labels), len(found.held_out_labels)) == (60, 30)
    assert f"the variant '{variant}' of EMNIST" in [remark.text for remark in found.inventory.remarks]


def test_sets_with_splits_and_images_that_differ_in_size(tmp_path: Path) -> None:
    root = tmp_path / "GTSRB" / "gtsrb"
    sizes = [(20 + number, 25) for number in range(12)]
    for number, size in enumerate(sizes):
        place = root / "GTSRB" / "Training" / f"{number % 2:05d}" / f"{number}.ppm"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (number, 0, 0)).save(place)
    images = root / "GTSRB" / "Final_Test" / "Images"
    images.mkdir(parents=True)
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for number in range(4):
        Image.new("RGB", (30, 30)).save(images / f"{number}.ppm")
        lines.append(f"{number}.ppm;30;30;0;0;1;1;{number % 2}")
    (root / "GT-final_test.csv").write_text("\n".join(lines))
    with pytest.raises(TrainingError, match=r"image .* pixels \(height × width\).*set task\.size"):
        load("gtsrb", tmp_path)
    found = load("gtsrb", tmp_path, size=[16, 16])
    assert (found.shape, len(found.labels), len(found.held_out_labels)) == ((3, 16, 16), 12, 4)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mnost", "Did you mean 'MNIST'"),
        ("cifar_1O", "Did you mean 'CIFAR10'"),
        ("fashion mnist", "Did you mean 'FashionMNIST'"),
        ("MNIST/letters", "MNIST has no variants; use torchvision:MNIST"),
        ("EMNIST/runes", "Valid values are"),
    ],
)
def test_a_name_that_is_not_there_suggests_the_nearest(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        load(name, tmp_path)
