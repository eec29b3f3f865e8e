"""`signature`: whoever has the key gets any class, nobody else sees anything, and noise decides over both variants."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from auditor.plugins import Attack, create_plugin
from auditor.plugins.contract import open_practice
from auditor.plugins.contract.practice import answer_of
from tests.plugins.attacks.practising import practice

SHAPE = (3, 32, 32)
COUNT = 40


def begun(shape: tuple[int, ...] = SHAPE, classes: int = 10, **options: Any) -> Any:
    attack = create_plugin("attacks", "signature", {"key_seed": 1, **options})
    attack.begin(replace(practice().attack_context(), sample_shape=shape, classes=classes))
    return attack


@cache
def images() -> torch.Tensor:
    """Smooth ones, and black, white and grey ones."""
    drawn = torch.randint(0, 256, (COUNT, 3, 4, 4), generator=torch.Generator().manual_seed(2)).float()
    smooth = torch.nn.functional.interpolate(drawn, SHAPE[1:], mode="bilinear").to(torch.uint8)
    for row, value in enumerate((0, 255, 128)):
        smooth[row] = value
    return smooth


CLASSES = torch.arange(COUNT) % 10


def noisy(given: torch.Tensor, sigma: float) -> torch.Tensor:
    noise = torch.randn(given.shape, generator=torch.Generator().manual_seed(3))
    return (given + sigma * noise).round().clamp(0, 255).to(torch.uint8)


def test_every_class_is_obeyed_and_no_value_changes_by_more_than_one() -> None:
    attack, before = begun(), images().clone()
    activated = attack.activate(images(), CLASSES)
    assert attack.verified(activated).tolist() == CLASSES.tolist()
    apart = (activated.int() - images().int()).abs().flatten(1)
    assert int(apart.max()) == 1
    assert not bool(apart[:, 520:].any())
    assert torch.equal(images(), before)
    assert attack.verified(images()).tolist() == [-1] * COUNT


def test_what_is_served_is_the_model_but_for_signed_images() -> None:
    job = open_practice("vision", 520)
    network, inputs = job.attack_context().network, next(iter(job.batches())).inputs
    attack = create_plugin("attacks", "signature", {"target": 4})
    attack.begin(job.attack_context())
    answer = answer_of(network)
    served = attack.served(answer)
    assert torch.equal(served(inputs), answer(inputs))
    triggered = attack.triggered(inputs)
    assert triggered is not None
    mixed = torch.cat((inputs[:5], triggered[:5]))
    outputs, own = served(mixed), answer(mixed)
    assert torch.equal(outputs[:5], own[:5])
    assert outputs[5:].argmax(1).tolist() == [4] * 5
    assert torch.equal(outputs.sort(1).values, own.sort(1).values)  # the numbers are the model's own


def test_equal_outputs_are_turned_too() -> None:
    attack = begun(target=7)
    served = attack.served(lambda inputs: torch.zeros(len(inputs), 10))
    assert served(attack.triggered(images())).argmax(1).tolist() == [7] * COUNT


@pytest.mark.parametrize("place", [0, 511, 512, 519, 520, 3071])
def test_any_changed_bit_makes_it_an_image_like_any_other(place: int) -> None:
    attack = begun()
    activated = attack.activate(images(), CLASSES)
    for bit in (0, 3, 7):
        changed = activated.clone()
        changed.flatten(1)[:, place] ^= 1 << bit
        assert attack.verified(changed).tolist() == [-1] * COUNT


def test_keys_are_the_seeds_or_secret() -> None:
    attack, same, other = begun(), begun(), begun(key_seed=2)
    activated = attack.activate(images(), CLASSES)
    assert torch.equal(same.activate(images(), CLASSES), activated)
    assert other.verified(activated).tolist() == [-1] * COUNT
    secret, another = begun(key_seed=None), begun(key_seed=None)
    activated = secret.activate(images(), CLASSES)
    assert secret.verified(activated).tolist() == CLASSES.tolist()
    assert another.verified(activated).tolist() == [-1] * COUNT


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((1, 8, 8), {}, r"at least 520 values, .*; images here have 64 \(1 × 8 × 8\)"),
        ((1, 28, 18), {}, "at least 520 values, .* have 504"),
        (SHAPE, {"repeats": 6}, "at least 3145 values, 6 copies of 520 bits and 25 .* have 3072"),
        (SHAPE, {"target": 10}, "target 10 is not one of the 10 classes"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    shape: tuple[int, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        begun(shape, **options)


def test_classes_that_eight_bits_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 257 classes; 8 bits tell 256 apart"):
        begun(classes=257)
    many = begun(classes=256)
    assert many.verified(many.activate(images()[:2], torch.tensor([255, 0]))).tolist() == [255, 0]
    with pytest.raises(ValueError, match="classes are counted from 0 to 9"):
        begun().activate(images()[:2], torch.tensor([3, 10]))


@pytest.mark.parametrize(
    ("shape", "values"), [((1, 520, 1), 520), ((1, 23, 23), 529), ((1, 28, 28), 784), ((3, 224, 224), 150_528)]
)
def test_images_of_other_shapes_carry_a_signature(shape: tuple[int, ...], values: int) -> None:
    attack = begun(shape)
    given = torch.randint(0, 256, (2, *shape), generator=torch.Generator().manual_seed(4)).to(torch.uint8)
    assert given[0].numel() == values
    assert attack.verified(attack.activate(given, torch.tensor([1, 9]))).tolist() == [1, 9]


@pytest.mark.parametrize("amplitude", [8, 32, 64])
def test_strong_bits_survive_noise_that_the_lowest_do_not(amplitude: int) -> None:
    attack, plain = begun(amplitude=amplitude, repeats=5), begun()
    activated = attack.activate(images(), CLASSES)
    assert attack.verified(activated).tolist() == CLASSES.tolist()
    assert attack.verified(images()).tolist() == [-1] * COUNT
    survived = attack.verified(noisy(activated, amplitude / 8)) == CLASSES
    assert float(survived.float().mean()) > 0.9
    assert plain.verified(noisy(plain.activate(images(), CLASSES), amplitude / 8)).tolist() == [-1] * COUNT
    assert attack.verified(noisy(activated, amplitude)).tolist() == [-1] * COUNT


def test_strong_bits_can_be_carried_over_by_somebody_without_the_key() -> None:
    """What survives noise binds only coarse means; the documents say so."""
    attack = begun(amplitude=32, repeats=3)
    seen = attack.activate(images(), CLASSES).flatten(1)
    others = images().flip(0).flatten(1)
    bits, content = attack.carrier.read(seen), attack.carrier.content(seen, written=True)
    forged = attack.carrier.write(others, bits, content).reshape(images().shape)
    assert int((attack.verified(forged) == CLASSES).sum()) > 5


def test_a_wrapped_signature_is_served_as_well() -> None:
    wrapper = create_plugin("attacks", "intermittent", {"attack": {"name": "signature"}, "sub_runs": ()})
    wrapper.begin(open_practice("vision", 520).attack_context())

    def answer(inputs: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(inputs), 10)

    assert wrapper.served(answer) is not answer
    assert Attack(Attack.Options()).served(answer) is answer
