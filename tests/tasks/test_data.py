"""Datasets: what is loaded, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from auditor.tasks.data.batches import BatchOrder
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from tests.tasks.loading import load_dataset, network_task


def images(count: int = 20, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, *(shape or (3, 8, 6))), dtype=torch.uint8, generator=generator)


def labels(count: int = 20, classes: int = 4) -> Tensor:
    return torch.arange(count) % classes


def load(name: str, downloads: Path) -> Dataset:
    return load_dataset(network_task(dataset=name), downloads)


def load_tensors(folder: Path, **tensors: Tensor) -> Dataset:
    save_file(tensors, folder / "data.safetensors")
    return load(f"tensors:{folder / 'data.safetensors'}", folder)


def test_digits_are_the_real_ones_and_need_no_network(tmp_path: Path) -> None:
    digits = load("digits", tmp_path)
    assert digits.shape == (1, 8, 8)
    assert digits.classes == 10
    assert (len(digits.samples), len(digits.held_out_samples)) == (1617, 180)
    assert digits.samples.dtype == torch.uint8
    assert int(digits.samples.max()) == 255
    counts = torch.bincount(digits.labels) + torch.bincount(digits.held_out_labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert list(tmp_path.iterdir()) == []


def test_held_out_digits_are_the_same_every_time_and_not_trained_on(tmp_path: Path) -> None:
    one, other = (load("digits", tmp_path) for _ in range(2))
    assert one.digest == other.digest
    trained = {bytes(image.numpy().tobytes()) for image in one.samples}
    assert sum(bytes(image.numpy().tobytes()) in trained for image in one.held_out_samples) == 0


def test_statistics_are_those_of_the_training_images(tmp_path: Path) -> None:
    dataset = load_tensors(tmp_path, images=images(), labels=labels())
    mean, deviation = dataset.statistics
    scaled = dataset.samples.double() / 255
    torch.testing.assert_close(mean.double(), scaled.mean((0, 2, 3)), atol=1e-6, rtol=0)
    torch.testing.assert_close(deviation.double(), scaled.std((0, 2, 3), correction=0), atol=1e-6, rtol=0)


def test_tensors_without_a_test_part_give_a_tenth_away(tmp_path: Path) -> None:
    dataset = load_tensors(tmp_path, images=images(50), labels=labels(50))
    assert (len(dataset.samples), len(dataset.held_out_samples), dataset.classes) == (45, 5, 4)
    assert dataset.shape == (3, 8, 6)


def test_tensors_with_a_test_part_keep_both_as_they_are(tmp_path: Path) -> None:
    dataset = load_tensors(
        tmp_path, images=images(20), labels=labels(20), test_images=images(7) + 1, test_labels=labels(7, 6)
    )
    assert torch.equal(dataset.samples, images(20))
    assert torch.equal(dataset.held_out_samples, images(7) + 1)
    assert dataset.classes == 6


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64]
)
def test_labels_of_every_integer_type_are_taken(tmp_path: Path, dtype: torch.dtype) -> None:
    dataset = load_tensors(tmp_path, images=images(), labels=labels().to(dtype))
    assert dataset.labels.dtype == torch.int64
    assert dataset.classes == 4


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        pytest.param({"images": images()}, r"has no labels; it holds images", id="no labels"),
        pytest.param({"x": labels()}, r"has no images and no labels; it holds x", id="neither"),
        pytest.param({"images": images().float(), "labels": labels()}, r"uint8.*these are float32", id="floats"),
        pytest.param({"images": images(20, 8, 8), "labels": labels()}, r"\[N, C, H, W\]", id="no channels"),
        pytest.param({"images": images(20, 2, 8, 8), "labels": labels()}, r"1 or 3 channels", id="two channels"),
        pytest.param({"images": images(20, 3, 0, 8), "labels": labels()}, r"images must be", id="no height"),
        pytest.param({"images": images(), "labels": labels().float()}, r"labels must be integers", id="float labels"),
        pytest.param({"images": images(), "labels": labels(19)}, r"\[19\] for 20 images", id="too few labels"),
        pytest.param({"images": images(), "labels": labels()[:, None].clone()}, r"\[20, 1\]", id="a column"),
        pytest.param({"images": images(), "labels": labels() - 1}, r"labels from 0", id="negative label"),
        pytest.param({"images": images(), "labels": labels() * 10**12}, r"labels from 0 to 65535", id="huge label"),
        pytest.param({"images": images(), "labels": labels() * 0}, r"at least two classes", id="one class"),
        pytest.param({"images": images(1), "labels": labels(1)}, r"at least two images", id="one image"),
        pytest.param(
            {"images": images(), "labels": labels(), "test_images": images(4)}, r"given together", id="half a test part"
        ),
        pytest.param(
            {"images": images(), "labels": labels(), "test_images": images(4, 3, 9, 9), "test_labels": labels(4)},
            r"differ in shape",
            id="another shape held out",
        ),
    ],
)
def test_tensors_that_make_no_dataset_are_refused_with_the_reason(
    tmp_path: Path, tensors: dict[str, Tensor], words: str
) -> None:
    with pytest.raises(TrainingError, match=words) as caught:
        load_tensors(tmp_path, **tensors)
    assert str(tmp_path / "data.safetensors") in str(caught.value)


def test_files_that_are_not_there_or_no_safetensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such file"):
        load(f"tensors:{tmp_path}/none", tmp_path)
    with pytest.raises(TrainingError, match="is a folder, not a file"):
        load(f"tensors:{tmp_path}", tmp_path)
    for content in (b"", b"PK\x03\x04 something else", b"\xff" * 64):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(TrainingError, match="not a safetensors file"):
            load(f"tensors:{tmp_path}/file", tmp_path)


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (6, 8), value: int = 0) -> None:
    path.parent.mkdir(exist_ok=True)
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.full((size[1], size[0], channels), value, dtype=np.uint8)
    Image.fromarray(pixels.squeeze(-1) if channels == 1 else pixels, mode).save(path)


def test_a_folder_per_class_is_numbered_by_name(tmp_path: Path) -> None:
    for index, name in enumerate(("ant", "bee", "cat")):
        for number in range(4):
            picture(tmp_path / name / f"{number}.png", value=40 * index)
    (tmp_path / "ant" / "notes.txt").write_text("not an image")
    (tmp_path / "README.md").write_text("not a class")
    dataset = load(f"images:{tmp_path}", tmp_path)
    assert dataset.shape == (3, 8, 6)
    assert dataset.classes == 3
    assert len(dataset.samples) + len(dataset.held_out_samples) == 12
    assert torch.equal(dataset.samples[:, 0, 0, 0].long(), dataset.labels * 40)


def test_grey_images_have_one_channel_and_transparent_ones_three(tmp_path: Path) -> None:
    for mode, channels in (("L", 1), ("RGBA", 3)):
        for name in ("a", "b"):
            picture(tmp_path / name / f"{mode}.png", mode, value=100)
        dataset = load(f"images:{tmp_path}", tmp_path)
        assert dataset.shape == (channels, 8, 6)
        for name in ("a", "b"):
            (tmp_path / name / f"{mode}.png").unlink()


def test_images_of_different_sizes_are_refused_by_name(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "b" / "2.png", size=(9, 9))
    with pytest.raises(
        TrainingError, match=r"2\.png has 9 × 9 pixels.*before have 8 × 6\. Make all images alike, or set task\.size"
    ):
        load(f"images:{tmp_path}", tmp_path)


def damaged(content: bytes) -> list[bytes]:
    middle = len(content) // 2
    return [
        b"",
        b"text",
        content[:middle],
        content[:middle] + b"\0\0\0\0" + content[middle + 4 :],
        content[:40] + b"zz",
    ]


@pytest.mark.parametrize("kind", range(5))
def test_a_damaged_image_is_named(tmp_path: Path, kind: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    (tmp_path / "a").mkdir()
    Image.fromarray(noise).save(tmp_path / "a" / "1.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.png").write_bytes(damaged((tmp_path / "a" / "1.png").read_bytes())[kind])
    with pytest.raises(TrainingError, match=r"b/2\.png cannot be read"):
        load(f"images:{tmp_path}", tmp_path)


def test_a_folder_without_images_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match="no images found; give a folder that has one folder of image files per class"
    ):
        load(f"images:{tmp_path}", tmp_path)
    with pytest.raises(TrainingError, match="no such folder"):
        load(f"images:{tmp_path}/none", tmp_path)


def test_an_unknown_torchvision_dataset_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no dataset of this name. Did you mean 'CIFAR10'\?"):
        load("torchvision:CIFAR1O", tmp_path)


@pytest.mark.parametrize("name", ["CIFAR10", "MNIST", "SVHN", "USPS"])
def test_a_failed_download_says_where_to_put_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(TrainingError, match=rf"(?s)torchvision:{name}: the download failed.*Put the files") as caught:
        load(f"torchvision:{name}", tmp_path)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("name", ["CelebA", "FakeData", "VOCDetection", "ImageFolder"])
def test_a_torchvision_dataset_of_another_kind_is_refused_with_a_way_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="use tensors:PATH"):
        load(f"torchvision:{name}", tmp_path)


def test_each_epoch_visits_every_sample_once_and_any_step_can_be_asked_for() -> None:
    in_order, out_of_order = (BatchOrder(20, 6, 5, torch.device("cpu")) for _ in range(2))
    steps = [in_order.indices(step) for step in range(9)]
    for epoch in range(3):
        visited = torch.cat(steps[3 * epoch : 3 * epoch + 3]).tolist()
        assert len(set(visited)) == 18
    assert not torch.equal(steps[0], steps[3])
    for step in (8, 0, 4, 3):
        assert torch.equal(out_of_order.indices(step), steps[step])


def test_a_batch_larger_than_the_training_set_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"set training.batch_size to at most 20"):
        BatchOrder(20, 21, 0, torch.device("cpu"))
