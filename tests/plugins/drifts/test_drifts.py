"""What each bundled drift does to samples, and what it refuses."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import torch
from torch import Tensor

from auditor.plugins import Drift, DriftContext, create_plugin

COLOURED = DriftContext("vision", 10, (3, 12, 12), seed=1)
GRAY = DriftContext("vision", 10, (1, 12, 12), seed=1)
TEXTS = DriftContext("text", 2, (6,), seed=1, vocabulary=101)
COUNT = 4000


def begun(name: str, context: DriftContext, **options: Any) -> Drift:
    drift = create_plugin("drifts", name, options)
    drift.begin(context)
    return drift


def images(context: DriftContext, count: int = 8) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, *context.shape), generator=draws, dtype=torch.uint8)


def applied(drift: Drift, samples: Tensor, amount: float) -> Tensor:
    return drift.apply(samples, torch.zeros(len(samples), dtype=torch.int64), amount, "train")[0]


def test_rotate_turns_counter_clockwise_and_fills_the_corners() -> None:
    image = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    image[0, 0, 5, 9:] = 200  # a hand that points to the right
    turned = applied(begun("rotate", GRAY), image, 90)
    assert (turned[0, 0, :3, 5] == 200).all()  # now it points up
    assert int((turned > 0).sum()) == 3
    filled = applied(begun("rotate", GRAY, fill=77, interpolation="bilinear"), image, 45)
    assert int(filled[0, 0, 0, 0]) == 77


def test_rotate_takes_any_number_of_channels() -> None:
    context = DriftContext("vision", 10, (5, 12, 12), seed=1)
    samples = images(context)
    turned = applied(begun("rotate", context), samples, 20)
    gray = applied(begun("rotate", GRAY), samples[:, 3:4], 20)
    assert torch.equal(turned[:, 3:4], gray)


def test_brightness_brightens_and_darkens() -> None:
    samples = torch.full((1, 1, 12, 12), 100, dtype=torch.uint8)
    drift = begun("brightness", GRAY)
    found = [int(applied(drift, samples, amount)[0, 0, 0, 0]) for amount in (-1.0, -0.5, 0.5, 9.0)]
    assert found == [0, 50, 150, 255]


def test_hue_turns_red_to_green_and_half_a_turn_either_way_is_the_same() -> None:
    red = torch.zeros(1, 3, 12, 12, dtype=torch.uint8)
    red[:, 0] = 255
    drift = begun("hue", COLOURED)
    pixel = applied(drift, red, 1 / 3)[0, :, 0, 0].tolist()
    assert pixel[1] == 255
    assert max(pixel[0], pixel[2]) <= 1
    assert torch.equal(applied(drift, red, 0.5), applied(drift, red, -0.5))


def test_saturation_fades_to_gray() -> None:
    samples = images(COLOURED)
    drift = begun("saturation", COLOURED)
    gray = applied(drift, samples, -1).int()
    assert (gray[:, 0] == gray[:, 1]).all()
    assert (gray[:, 0] == gray[:, 2]).all()
    spread = [float(applied(drift, samples, amount).float().std(dim=1).mean()) for amount in (-1, -0.5, 0, 0.5)]
    assert spread == sorted(spread)


def test_label_shift_moves_the_mix_and_keeps_the_number() -> None:
    labels = torch.arange(COUNT) % 10
    samples = labels[:, None, None, None].to(torch.uint8).expand(-1, 1, 2, 2).contiguous()
    drift = begun("label_shift", GRAY, grows=[3, 7])
    before = labels
    for amount in (0.2, 0.5, 1.0):
        moved, found = drift.apply(samples, labels, amount, "train")
        assert len(found) == COUNT
        assert torch.equal(moved[:, 0, 0, 0].long(), found)  # samples and labels go together
        shares = torch.bincount(found, minlength=10) / COUNT
        expected = torch.full((10,), 0.1 * (1 - amount))
        expected[[3, 7]] += amount / 2
        assert torch.allclose(shares, expected, atol=0.03)
        assert bool(torch.isin(found[found != labels], torch.tensor([3, 7])).all())
        assert torch.equal(found[before != labels], before[before != labels])  # what was replaced stays so
        before = found
    held_out = drift.apply(samples, labels, 0.5, "held out")[1]
    assert not torch.equal(held_out, drift.apply(samples, labels, 0.5, "train")[1])


def test_tokens_replace_a_share_of_the_vocabulary_that_only_grows() -> None:
    drift = begun("tokens", TEXTS)
    every = torch.arange(101)[:, None]
    before = every
    for amount, count in ((0.1, 10), (0.25, 25), (1.0, 100)):
        found = applied(drift, every, amount)
        assert int((found != every).sum()) == count
        assert int(found[0]) == 0  # padding
        assert bool((found[1:] > 0).all())
        assert torch.equal(found[before != every], before[before != every])
        before = found
    labels = torch.zeros(101, dtype=torch.int64)
    assert torch.equal(applied(drift, every, 0.3), drift.apply(every, labels, 0.3, "held out")[0])
    other = begun("tokens", DriftContext("text", 2, (6,), seed=2, vocabulary=101))
    assert not torch.equal(applied(drift, every, 0.3), applied(other, every, 0.3))


@pytest.mark.parametrize(
    ("name", "options", "context", "words"),
    [
        ("hue", {}, GRAY, "hue changes colours, and the images are gray; choose a dataset with red, green and blue"),
        ("saturation", {}, GRAY, "the images are gray"),
        ("hue", {}, DriftContext("vision", 10, (4, 8, 8), 0), "images of 4 channels"),
        ("brightness", {}, DriftContext("vision", 10, (2, 8, 8), 0), "the images have 2 channels"),
        ("rotate", {}, TEXTS, "does not support text tasks, only vision"),
        ("tokens", {}, GRAY, "does not support vision tasks, only text"),
        ("tokens", {}, DriftContext("text", 2, (6,), 0, vocabulary=2), "no tokens to exchange"),
        ("label_shift", {"grows": [10]}, GRAY, "the class 10 of `grows` is not one of the 10 classes"),
        ("label_shift", {"grows": [0, 1]}, TEXTS, "all classes cannot become more frequent"),
    ],
)
def test_data_that_do_not_fit_are_refused(name: str, options: Any, context: DriftContext, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        begun(name, context, **options)


@pytest.mark.parametrize(
    ("name", "amount", "words"),
    [
        ("hue", 0.51, r"a hue that turns by 0\.51 comes back .* from -0\.5 to 0\.5"),
        ("brightness", -1.5, r"cannot fall by 1\.5"),
        ("saturation", -1.5, r"cannot fall by 1\.5"),
        ("label_shift", 1.1, "use amounts from 0 to 1"),
        ("label_shift", -0.1, "use amounts from 0 to 1"),
    ],
)
def test_an_amount_that_makes_no_sense_is_refused(name: str, amount: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        applied(begun(name, COLOURED), images(COLOURED), amount)
    with pytest.raises(ValueError, match="use amounts from 0 to 1"):
        applied(begun("tokens", TEXTS), torch.ones(2, 6, dtype=torch.int64), 1 + abs(amount))


def test_a_class_that_grows_must_be_there() -> None:
    labels = torch.ones(20, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"no sample of the held out data has one of the classes that grow, \[0\]"):
        begun("label_shift", GRAY).apply(images(GRAY, 20), labels, 0.5, "held out")


@pytest.mark.parametrize(
    ("name", "amount", "digest"),
    [
        ("rotate", 7, "adfe14c4ba83"),
        ("brightness", 0.13, "1703b1ab88ba"),
        ("saturation", 0.37, "debbe52a7c82"),
        ("hue", 0.02, "c0e6b8a8e05b"),
        ("label_shift", 0.4, "af7983248a11"),
    ],
)
def test_the_same_bits_on_every_machine(name: str, amount: float, digest: str) -> None:
    """The digests hold with and without vector instructions, which need not round alike."""
    options = {"interpolation": "bilinear"} if name == "rotate" else {}
    drift = begun(name, COLOURED, **options)
    found, labels = drift.apply(images(COLOURED, 100), torch.arange(100) % 10, amount, "train")
    assert hashlib.sha256(found.numpy().tobytes() + labels.numpy().tobytes()).hexdigest()[:12] == digest
