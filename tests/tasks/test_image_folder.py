"""Folders of images: what counts, what is left out, and how each kind of picture is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from tests.tasks.loading import load_dataset, network_task


def save(path: Path, value: int = 100, mode: str = "RGB", size: tuple[int, int] = (6, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value,) * 3).convert(mode).save(path)


def fill(root: Path, *classes: str, count: int = 4) -> None:
    for number, name in enumerate(classes):
        for index in range(count):
            save(root / name / f"{index}.png", 20 * number + index)


def load(root: Path, **keys: Any) -> Dataset:
    return load_dataset(network_task(dataset=f"images:{root}", **keys))


def names(dataset: Dataset) -> list[str]:
    return [known.name for known in dataset.inventory.classes]


def remarks(dataset: Dataset, kind: str = "") -> str:
    return "; ".join(remark.text for remark in dataset.inventory.remarks if kind in remark.kind)


def test_folders_and_files_of_tools_and_systems_do_not_count(tmp_path: Path) -> None:
    fill(tmp_path, "cat", "dog", ".ipynb_checkpoints", "__MACOSX", "@eaDir")
    (tmp_path / "cat" / "._0.png").write_bytes(b"\x00\x05\x16\x07")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "labels.csv"):
        (tmp_path / "dog" / name).write_text("no image")
    (tmp_path / "README.md").write_text("no class")
    found = load(tmp_path)
    assert names(found) == ["cat", "dog"]
    assert len(found.labels) + len(found.held_out_labels) == 8
    words = remarks(found, "left out")
    assert "7 hidden files or folders of tools or the operating system, such as .ipynb_checkpoints" in words
    assert "2 files without a suffix of images: .csv (1), .txt (1)" in words
    assert "1 file outside the class folders: README.md" in words


def test_images_in_nested_folders_count_once_also_behind_links(tmp_path: Path) -> None:
    fill(tmp_path, "cat/site1", "cat/site2/a", "dog")
    (tmp_path / "cat" / "site2" / "again").symlink_to(tmp_path / "cat")
    found = load(tmp_path)
    assert names(found) == ["cat", "dog"]
    assert [known.training + known.held_out for known in found.inventory.classes] == [8, 4]


def test_folders_that_are_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    fill(tmp_path, *map(str, range(12)), count=2)
    found = load(tmp_path)
    assert names(found) == [str(number) for number in range(12)]
    assert "class folders are numbers and are in numeric order" in remarks(found)


@pytest.mark.parametrize("held_out", ["val", "test", "Validation"])
def test_train_and_test_folders_are_recognised(tmp_path: Path, held_out: str) -> None:
    fill(tmp_path / "train", "cat", "dog")
    fill(tmp_path / held_out, "cat", "dog", count=2)
    found = load(tmp_path)
    assert (len(found.labels), len(found.held_out_labels)) == (8, 4)
    assert f"training images are in train and held-out images in {held_out}" in remarks(found)


def test_a_test_folder_without_labels_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "train", "cat", "dog")
    fill(tmp_path, "test")
    found = load(tmp_path)
    assert names(found) == ["cat", "dog"]
    assert len(found.labels) + len(found.held_out_labels) == 8
    assert "the folder test; task.held_out can name it" in remarks(found, "left out")


def test_classes_that_are_called_train_and_test_stay_classes(tmp_path: Path) -> None:
    fill(tmp_path, "train", "plane")
    assert names(load(tmp_path)) == ["plane", "train"]


def test_a_held_out_folder_can_be_named(tmp_path: Path) -> None:
    fill(tmp_path / "a", "cat", "dog")
    fill(tmp_path / "b", "dog", count=2)
    found = load(tmp_path / "a", held_out=f"images:{tmp_path / 'b'}")
    assert found.held_out_labels.tolist() == [1, 1]
    assert "1 class without held-out samples: cat" in remarks(found)
    fill(tmp_path / "b", "fox")
    with pytest.raises(TrainingError, match="a class 'fox' that the training part lacks"):
        load(tmp_path / "a", held_out=f"images:{tmp_path / 'b'}")
    with pytest.raises(TrainingError, match=r"task\.held_out: images:.*none: there is no such folder"):
        load(tmp_path / "a", held_out=f"images:{tmp_path / 'none'}")


def test_a_class_without_images_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path, "cat", "dog")
    (tmp_path / "fox").mkdir()
    (tmp_path / "fox" / ".keep").write_text("")
    with pytest.raises(TrainingError, match=r"the class folder .*fox has no images\. Add some, or remove the folder"):
        load(tmp_path)


def gray16(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, dtype=np.uint16)).save(path)


def test_deep_images_are_refused_with_their_range_or_scaled_by_it(tmp_path: Path) -> None:
    for name, value in (("dark", 1000), ("light", 3000)):
        for index in range(4):
            gray16(tmp_path / name / f"{index}.png", np.full((8, 8), value + index))
    with pytest.raises(
        TrainingError, match=r"dark/0\.png has values of more than 8 bits, from 1000 to 1000.*value_range"
    ):
        load(tmp_path)
    found = load(tmp_path, value_range=[0.0, 4095.0])
    images = np.concatenate([found.samples.numpy(), found.held_out_samples.numpy()])
    assert sorted(set(images.reshape(-1).tolist())) == [62, 187]
    assert "8 images scaled from 0 … 4095 to 0 … 255" in remarks(found, "converted")
    assert "with values outside 0 … 2000" in remarks(load(tmp_path, value_range=[0.0, 2000.0]))


def test_floating_point_images_are_refused_or_scaled(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for index in range(2):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(np.full((8, 8), index / 2, dtype=np.float32)).save(tmp_path / name / f"{index}.tiff")
    with pytest.raises(TrainingError, match="has values of floating-point numbers, from 0 to 0"):
        load(tmp_path)
    assert load(tmp_path, value_range=[0.0, 1.0]).shape == (1, 8, 8)


def test_a_shape_that_is_only_in_the_alpha_channel_is_seen(tmp_path: Path) -> None:
    for name, side in (("left", 0), ("right", 4)):
        for index in range(3):
            pixels = np.zeros((8, 8, 4), dtype=np.uint8)
            pixels[:, side : side + 4, 3] = 255 - index
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    white, black = load(tmp_path), load(tmp_path, background="black")
    assert white.samples.float().std() > 100
    assert black.samples.float().std() == 0
    assert "6 images transparent and laid on a white background" in remarks(white, "converted")


def test_gray_beside_gray_with_alpha_is_gray_and_beside_colour_becomes_colour(tmp_path: Path) -> None:
    for index, mode in enumerate(("L", "LA", "1", "P")):
        save(tmp_path / "a" / f"{index}.png", 255, mode)
        save(tmp_path / "b" / f"{index}.png", 0, mode)
    assert load(tmp_path).shape == (1, 8, 6)
    Image.new("RGB", (6, 8), (255, 0, 0)).save(tmp_path / "b" / "red.png")
    found = load(tmp_path)
    assert found.shape == (3, 8, 6)
    assert "8 gray images got three equal channels, because others have colours" in remarks(found, "converted")
    gray = load(tmp_path, channels="gray")
    assert gray.shape == (1, 8, 6)
    assert "1 image colour images turned gray" not in remarks(gray)
    assert "1 image of colour turned gray" in remarks(gray, "converted")
    assert load(tmp_path, channels="rgb").shape == (3, 8, 6)


def test_pictures_are_turned_as_their_exif_says(tmp_path: Path) -> None:
    upright = np.zeros((8, 8), dtype=np.uint8)
    upright[:4] = 255
    for index in range(3):
        for name in ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            exif = Image.Exif()
            exif[0x0112] = 6  # the picture is to be turned clockwise by 90°
            Image.fromarray(np.rot90(upright)).save(tmp_path / name / f"{index}.png", exif=exif)
    found = load(tmp_path)
    for image in found.samples.numpy():
        assert (image[0] == upright).all()
    assert "6 images turned the way that their EXIF says" in remarks(found, "converted")


def test_sixteen_bit_colours_animations_and_print_colours_are_said(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    frames = [Image.new("RGB", (6, 8), (value, 0, 0)) for value in (10, 200)]
    frames[0].save(tmp_path / "a" / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (6, 8), (0, 200, 0, 0)).save(tmp_path / "b" / "print.tif")
    (tmp_path / "b" / "deep.png").write_bytes(deep_png(8, 6))
    words = remarks(load(tmp_path), "converted")
    assert "1 image animations or of several pages" not in words
    assert "1 image with several pictures, of which the first is used" in words
    assert "1 image converted from CMYK to RGB" in words
    assert "1 image with 16 bits a colour, reduced to the upper 8" in words


def deep_png(height: int, width: int) -> bytes:
    """A PNG of 16-bit colours, which Pillow cannot write."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x12\x34" * 3 * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_images_are_resized_where_the_job_says_so(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    save(tmp_path / "b" / "large.png", size=(30, 40))
    with pytest.raises(TrainingError, match=r"large\.png has 40 × 30 pixels.*or set task\.size"):
        load(tmp_path)
    found = load(tmp_path, size=[8, 6])
    assert found.shape == (3, 8, 6)
    assert "1 image resized to 8 × 6 pixels" in remarks(found, "converted")


@pytest.mark.parametrize(
    "order",
    [sorted, lambda files: sorted(files, reverse=True)],
    ids=["first made first", "last made first"],
)
def test_the_order_in_which_files_were_made_does_not_matter(
    tmp_path: Path, order: Callable[[list[str]], list[str]]
) -> None:
    for name in order(["a/0", "a/1/x", "a/1/y", "b/0", "b/z/0"]):
        save(tmp_path / f"{name}.png", sum(map(ord, name)) % 256)
    found = load(tmp_path)
    values = [int(image.max()) for image in found.samples]
    expected = [sum(map(ord, name)) % 256 for name in ("a/0", "a/1/x", "a/1/y", "b/0", "b/z/0")]
    assert [value for value in expected if value in values] == values


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("Cat", "cat"), "'Cat' and 'cat' have the same name but for case"),
        (("01", "1", "2"), "'01' and '1' have the same name but for case, leading zeros"),
        (("caf\u00e9", "cafe\u0301"), "have the same name but for case"),
        (("a",), "has one class folder, 'a'. Give at least two"),
    ],
)
def test_class_folders_that_are_one_to_a_person_are_refused(
    tmp_path: Path, classes: tuple[str, ...], words: str
) -> None:
    fill(tmp_path, *classes)
    with pytest.raises(TrainingError, match=words):
        load(tmp_path)
