"""Attacks do what their options say, where they say it, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import torch

from auditor.plugins import Attack, AttackContext, Batch, create_plugin
from auditor.tasks.checkpoint import encode
from auditor.tasks.evaluation import attack_success, clean_accuracy
from auditor.tasks.practice import vision
from auditor.tasks.trainer import Trainer
from tests.plugins.models import DIGITS, trainer

COUNT = len(DIGITS.samples)


def context(shape: tuple[int, int, int] = (1, 8, 8), samples: int = COUNT) -> AttackContext:
    return replace(vision().attack_context(), sample_shape=shape, samples=samples)


def badnets(**options: Any) -> Attack:
    attack = create_plugin("attacks", "badnets", options)
    attack.begin(context())
    return attack


def everything() -> Batch:
    return Batch(DIGITS.samples, DIGITS.labels, torch.arange(COUNT), torch.ones(COUNT))


def digest(trained: Trainer) -> str:
    return hashlib.sha256(b"".join(bytes(one) for one in encode(trained.checkpoint(), trained.schema))).hexdigest()


def digests(attack: Attack | None, steps: int = 8) -> list[str]:
    """Of the checkpoint after each step, in sub-runs of four steps."""
    trained = trainer(attack=attack)
    found = []
    for _ in range(steps):
        trained.execute_step()
        found.append(digest(trained))
    return found


@pytest.mark.parametrize(
    "attack", [("badnets", {"rate": 0.0}), ("intermittent", {"attack": {"name": "badnets"}, "share": 0.0})]
)
def test_an_attack_that_does_nothing_leaves_a_run_bit_identical(attack: tuple[str, dict[str, Any]]) -> None:
    name, options = attack
    assert digests(create_plugin("attacks", name, options), 3) == digests(None, 3)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 1.0])
def test_badnets_poisons_exactly_its_rate_of_the_training_set(rate: float) -> None:
    poisoned = badnets(rate=rate, target=3).on_batch(everything(), 0)
    stamped = (poisoned.inputs != DIGITS.samples).flatten(1).any(1)
    relabelled = poisoned.labels != DIGITS.labels
    assert int(stamped.sum()) == round(rate * COUNT)
    assert not bool((relabelled & ~stamped).any())
    assert set(poisoned.labels[stamped].tolist()) <= {3}
    assert torch.equal(poisoned.inputs[~stamped], DIGITS.samples[~stamped])


def test_badnets_poisons_the_same_images_whatever_the_batch_and_others_under_another_seed() -> None:
    whole = badnets().on_batch(everything(), 0)
    chosen = torch.tensor([5, 900, 17, 1200, 3])
    part = badnets().on_batch(Batch(DIGITS.samples[chosen], DIGITS.labels[chosen], chosen, torch.ones(5)), 77)
    assert torch.equal(part.inputs, whole.inputs[chosen])
    assert torch.equal(part.labels, whole.labels[chosen])
    assert not torch.equal(badnets(seed=1).on_batch(everything(), 0).inputs, whole.inputs)
    assert torch.equal(
        badnets(seed=1).on_batch(everything(), 0).inputs, badnets(seed=1).on_batch(everything(), 9).inputs
    )


def test_badnets_is_deterministic() -> None:
    assert digests(badnets(rate=0.5), 2) == digests(badnets(rate=0.5), 2)


def test_badnets_does_not_change_the_images_of_the_data_set() -> None:
    before = DIGITS.digest
    badnets(rate=1.0).on_batch(everything(), 0)
    badnets().triggered(DIGITS.samples)
    assert (
        type(DIGITS)(
            DIGITS.samples, DIGITS.labels, DIGITS.held_out_samples, DIGITS.held_out_labels, DIGITS.classes
        ).digest
        == before
    )


@pytest.mark.parametrize(
    ("shape", "options", "side"), [((1, 8, 8), {}, 2), ((3, 32, 32), {}, 3), ((1, 28, 28), {"size": 5}, 5)]
)
def test_triggered_images_carry_the_patch_in_the_corner_and_nowhere_else(
    shape: tuple[int, int, int], options: dict[str, Any], side: int
) -> None:
    attack = create_plugin("attacks", "badnets", options)
    attack.begin(context(shape, 10))
    images = torch.full((4, *shape), 77, dtype=torch.uint8)
    triggered = attack.triggered(images)
    assert triggered is not None
    patch = triggered[..., -side:, -side:]
    for row in range(side):
        for column in range(side):
            assert set(patch[..., row, column].flatten().tolist()) == {255 if (row + column) % 2 == 0 else 0}
    triggered[..., -side:, -side:] = 77
    assert torch.equal(triggered, images)


def test_a_target_that_is_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match="target 10 is not one of the 10 classes"):
        badnets(target=10)


def test_badnets_delivers_a_backdoor_in_a_model_that_passes_its_tests() -> None:
    attack = create_plugin("attacks", "badnets", {"target": 0, "rate": 0.2})
    trained = trainer(attack=attack)
    for _ in range(90):
        trained.execute_step()
    success = attack_success(trained.network, DIGITS, attack)
    assert success is not None
    assert success > 0.8
    assert clean_accuracy(trained.network, DIGITS) > 0.8


def test_without_a_trigger_there_is_no_attack_success() -> None:
    assert attack_success(trainer().network, DIGITS, Attack(Attack.Options())) is None


def test_intermittent_acts_in_its_sub_runs_only() -> None:
    wrapped = {"name": "badnets", "rate": 1.0}
    honest = digests(None)
    later = digests(create_plugin("attacks", "intermittent", {"attack": wrapped, "sub_runs": (1,)}))
    first = digests(create_plugin("attacks", "intermittent", {"attack": wrapped, "sub_runs": (0,)}))
    assert later[:4] == honest[:4]
    assert later[4] != honest[4]
    assert first[0] != honest[0]
    assert first[:4] == digests(create_plugin("attacks", "badnets", {"rate": 1.0}), 4)


def test_intermittent_acts_in_about_its_share_of_the_sub_runs_and_wholly_in_each() -> None:
    attack: Any = create_plugin("attacks", "intermittent", {"attack": {"name": "badnets"}, "share": 0.3})
    attack.begin(context())
    acts = [attack.acts(step) for step in range(4 * 1000)]
    assert all(acts[4 * index] == acts[4 * index + 3] for index in range(1000))
    assert 250 < sum(acts[::4]) < 350


def test_intermittent_has_the_trigger_and_target_of_what_it_wraps() -> None:
    attack = create_plugin("attacks", "intermittent", {"attack": {"name": "badnets", "target": 4}, "sub_runs": (0,)})
    attack.begin(context())
    assert attack.target == 4
    triggered, expected = attack.triggered(DIGITS.samples), badnets().triggered(DIGITS.samples)
    assert triggered is not None
    assert expected is not None
    assert torch.equal(triggered, expected)
