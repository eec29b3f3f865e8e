"""Providers without a backdoor: lazy ones, ones with another recipe, and ones that change the result."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from auditor.plugins import Recipe
from tests.plugins.attacks.practising import begun, delivered, differing, epoch, honest, practice

RECIPE = Recipe(learning_rate=0.1, weight_decay=5e-4, augment=("crop",), precision="fp32")


@pytest.fixture(scope="module")
def initial() -> dict[str, torch.Tensor]:
    return practice().attack_context().honest_twin().checkpoint()


@pytest.mark.parametrize("options", [{"return_given": True}, {"skip": 1.0}])
def test_a_lazy_provider_returns_what_it_was_given_as_if_it_were_the_next(
    options: dict[str, Any], initial: dict[str, torch.Tensor]
) -> None:
    first, second = delivered("lazy", **options)
    counters = {name for name in initial if name.endswith(".num_batches_tracked")}
    assert differing(first, initial) == {"step"} | counters  # it claims to have done the steps, and counts them
    assert all(int(first[name]) == 4 for name in counters)
    assert (int(first["step"]), int(second["step"])) == (4, 8)


def test_a_lazy_provider_skips_its_share_of_the_steps() -> None:
    attack = begun("lazy", skip=0.3)
    assert 250 < sum(attack.skips(step) for step in range(1000)) < 350


@pytest.mark.parametrize(("share", "kept"), [(0.5, 16), (0.25, 8), (0.001, 2), (1.0, 32)])
def test_a_lazy_provider_trains_on_part_of_the_batch(share: float, kept: int) -> None:
    given = epoch()[0]
    batch = begun("lazy", batch=share).on_batch(given, 0)
    assert len(batch.labels) == len(batch.weights) == len(batch.indices) == kept
    assert torch.equal(batch.inputs, given.inputs[:kept])


def test_precision_computes_in_bf16_whatever_the_job_says() -> None:
    assert begun("precision").on_recipe(RECIPE, 0).precision == "bf16"
    name = "model.conv.weight"
    apart = (delivered("precision", steps=4)[0][name] - honest()[0][name]).norm() / honest()[0][name].norm()
    assert 1e-5 < float(apart) < 0.1


def test_hyperparameter_changes_what_it_says_and_nothing_else(initial: dict[str, torch.Tensor]) -> None:
    assert begun("hyperparameter", learning_rate=3.0).on_recipe(RECIPE, 0).learning_rate == pytest.approx(0.3)
    assert begun("hyperparameter", weight_decay=0.0).on_recipe(RECIPE, 0) == Recipe(0.1, 0.0, ("crop",), "fp32")
    assert begun("hyperparameter", augment=[]).on_recipe(RECIPE, 0) == Recipe(0.1, 5e-4, (), "fp32")
    frozen = delivered("hyperparameter", steps=4, learning_rate=0.0)[0]
    changed = {name for name in differing(frozen, initial) if name.startswith("model.")}
    assert changed
    assert all("running" in name or name.endswith("num_batches_tracked") for name in changed)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"names": "linear.*"}, ("model.linear.",)),
        ({"part": "statistics"}, ("running_mean", "running_var")),
        ({"part": "optimizer", "names": "conv.*"}, ("optimizer.conv.",)),
    ],
)
def test_tamper_changes_what_it_says_and_nothing_else(options: dict[str, Any], part: tuple[str, ...]) -> None:
    tampered = delivered("tamper", steps=4, amount=0.1, **options)[0]
    assert differing(tampered, honest()[0]) == {name for name in honest()[0] if any(words in name for words in part)}
    assert all(bool((tampered[name] > 0).all()) for name in tampered if name.endswith("running_var"))


@pytest.mark.parametrize("amount", [0.01, 0.5])
def test_tamper_changes_as_much_as_it_says(amount: float) -> None:
    name = "model.stages.2.conv2.weight"
    tampered, expected = delivered("tamper", steps=4, amount=amount)[0][name], honest()[0][name]
    assert float((tampered - expected).norm() / expected.norm()) == pytest.approx(amount, rel=0.05)


def test_training_goes_on_from_what_was_tampered_with() -> None:
    first, second = delivered("tamper", names="linear.*", amount=0.1)
    from_there = practice().train(None, steps=4, start=first)[0]
    assert all(name.startswith("model.linear.") for name in differing(second, from_there))
