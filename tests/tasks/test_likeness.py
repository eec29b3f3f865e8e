"""A dataset that is read like another: its classes, its scale and its tokens are those of the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from auditor.tasks.errors import TrainingError
from auditor.tasks.survey import first_look
from tests.tasks.loading import load_dataset, network_program, network_task


def folder(root: Path, classes: dict[str, int], *, size: tuple[int, int] = (8, 8), mode: str = "L") -> str:
    """A folder of ten images for each class, all of one shade."""
    for name, shade in classes.items():
        (root / name).mkdir(parents=True)
        for index in range(10):
            pixel = shade + index if mode == "L" else (shade + index, shade, 0)
            Image.new(mode, size, pixel).save(root / name / f"{index}.png")
    return f"images:{root}"


FIRST = {"ant": 10, "bee": 100, "cat": 200}


def test_classes_have_the_numbers_and_images_the_scale_of_the_first_dataset(tmp_path: Path) -> None:
    first = folder(tmp_path / "first", FIRST)
    later = folder(tmp_path / "later", {"bee": 90, "cat": 220})
    whole = load_dataset(network_task(dataset=first, model="resnet8"))
    found = network_program(network_task(dataset=later, like=first, model="resnet8"))
    data = found.dataset
    assert (data.classes, data.class_names) == (3, ("ant", "bee", "cat"))
    for samples, labels in ((data.samples, data.labels), (data.held_out_samples, data.held_out_labels)):
        assert {int(label) for label in labels[samples[:, 0, 0, 0] < 150]} <= {1}
        assert {int(label) for label in labels[samples[:, 0, 0, 0] > 150]} <= {2}
    assert all(own.equal(other) for own, other in zip(data.statistics, whole.statistics, strict=True))
    assert "1 class without training samples: ant" in [remark.text for remark in found.inventory.remarks]
    assert set(found.parts) == {"form", "training part", "held-out part"}


def test_another_first_dataset_makes_other_data(tmp_path: Path) -> None:
    later = folder(tmp_path / "later", FIRST)
    firsts = [folder(tmp_path / name, FIRST | {"ant": shade}) for name, shade in (("dark", 10), ("light", 40))]
    tasks = [network_task(dataset=later, like=first, model="resnet8") for first in firsts]
    one, other = (network_program(task) for task in tasks)
    assert one.digest != other.digest
    assert {part for part in one.parts if one.part_digests[part] != other.part_digests[part]} == {"form"}
    assert tasks[0].source_of("form") == f"like = {firsts[0]!r}"


def test_a_month_may_have_a_single_class(tmp_path: Path) -> None:
    first, later = folder(tmp_path / "first", FIRST), folder(tmp_path / "later", {"ant": 20})
    data = load_dataset(network_task(dataset=later, like=first, model="resnet8"))
    assert set(data.labels.tolist()) == {0}
    assert data.classes == 3


def test_two_classes_are_chosen_by_the_numbers_of_the_first_dataset(tmp_path: Path) -> None:
    first, later = folder(tmp_path / "first", FIRST), folder(tmp_path / "later", {"bee": 90, "cat": 220})
    task = network_task("random_fourier", dataset=later, like=first, features=8, classes=[1, 2])
    assert load_dataset(task).class_names == ("bee", "cat")


def test_texts_have_the_tokens_and_classes_of_the_first_dataset(tmp_path: Path) -> None:
    (tmp_path / "first.csv").write_text("text,label\n" + "a fine day,good\na grey day,bad\nso so,none\n" * 10)
    (tmp_path / "later.csv").write_text("text,label\n" + "fine,none\ngrey hail,good\n" * 10)
    first = f"csv:{tmp_path / 'first.csv'}"
    later = network_task("text", dataset=f"csv:{tmp_path / 'later.csv'}", like=first, max_length=8)
    whole, data = load_dataset(network_task("text", dataset=first, max_length=8)), load_dataset(later)
    assert data.class_names == whole.class_names == ("bad", "good", "none")
    assert set(data.labels.tolist()) == {1, 2}
    assert data.tokenizer is not None
    assert whole.tokenizer is not None
    assert data.tokenizer.definition == whole.tokenizer.definition
    assert data.shape == whole.shape
    inventory = first_look(later).inventory
    assert inventory is not None
    assert [known.name for known in inventory.classes] == ["bad", "good", "none"]
    with pytest.raises(TrainingError, match=r"reviews: has 2 classes 'blame', 'praise' that csv:.*first\.csv lacks"):
        load_dataset(network_task("text", dataset="reviews", like=first))


@pytest.mark.parametrize(
    ("classes", "form", "words"),
    [
        pytest.param({"ant": 1, "fox": 2}, {}, r"later: has a class 'fox' that images:.*first lacks", id="class"),
        pytest.param({"b": 1, "d": 2}, {}, r"has 2 classes 'b', 'd' that .* has 3 classes: 'ant', 'bee'", id="all"),
        pytest.param(FIRST, {"size": (9, 9)}, r"later: has gray images of 9 × 9 pixels, and .*first has", id="size"),
        pytest.param(FIRST, {"mode": "RGB"}, r"later: has RGB images.* or set task\.channels", id="channels"),
    ],
)
def test_images_that_are_not_like_the_first_are_refused(
    tmp_path: Path, classes: dict[str, int], form: dict[str, Any], words: str
) -> None:
    first, later = folder(tmp_path / "first", FIRST), folder(tmp_path / "later", classes, **form)
    task = network_task(dataset=later, like=first, model="resnet8")
    with pytest.raises(TrainingError, match=words) as error:
        load_dataset(task)
    assert "\n" not in str(error.value)
    if classes != FIRST:  # the names are seen without decoding anything
        assert str(error.value) in (first_look(task).problem or "")


def test_tensors_and_texts_with_other_classes_are_refused(tmp_path: Path) -> None:
    for name, classes in (("first", 3), ("later", 4)):
        labels = torch.arange(40) % classes
        save_file({"images": torch.zeros(40, 1, 8, 8).byte(), "labels": labels}, tmp_path / f"{name}.safetensors")
    names = [f"tensors:{tmp_path / name}.safetensors" for name in ("first", "later")]
    with pytest.raises(TrainingError, match=r"later\.safetensors: has a class '3' that tensors:.* lacks"):
        load_dataset(network_task(dataset=names[1], like=names[0], model="resnet8"))
    assert load_dataset(network_task(dataset=names[0], like=names[1], model="resnet8")).classes == 4

    for name, label in (("first", "good"), ("later", "god")):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + f"a,{label}\nb,bad\n" * 10)
    texts = [f"csv:{tmp_path / name}.csv" for name in ("first", "later")]
    task = network_task("text", dataset=texts[1], like=texts[0])
    with pytest.raises(TrainingError, match=r"later\.csv.*'god', which is not one of bad, good"):
        load_dataset(task)
    assert "'god', which is not one of bad, good" in (first_look(task).problem or "")
