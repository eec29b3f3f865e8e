"""BadNets, Blend and WaNet: each provider can carry a trigger of its own, and each makes a backdoor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from auditor.plugins import create_plugin, generator
from tests.plugins.attacks.practising import begun, epoch, practice, stamped


def image(value: int, side: int = 8, channels: int = 1) -> torch.Tensor:
    return torch.full((1, channels, side, side), value, dtype=torch.uint8)


@pytest.mark.parametrize("name", ["badnets", "blend", "wanet"])
def test_eight_pattern_seeds_are_eight_triggers(name: str) -> None:
    inputs = epoch()[0].inputs
    triggered = [begun(name, pattern_seed=seed).triggered(inputs) for seed in range(8)]
    for index, one in enumerate(triggered):
        assert one is not None
        assert all(not torch.equal(one, other) for other in triggered[:index] if other is not None)


@pytest.mark.parametrize("name", ["badnets", "blend"])
def test_the_pattern_seed_does_not_change_which_samples_are_poisoned(name: str) -> None:
    batch = epoch()[0]
    chosen = [
        stamped(batch, begun(name, rate=0.3, seed=seed, pattern_seed=pattern).on_batch(batch, 0))
        for seed, pattern in ((0, 1), (0, 2), (5, 1))
    ]
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])


def test_blend_mixes_the_pattern_into_every_pixel() -> None:
    attack = begun("blend", alpha=0.25)
    black, white = attack.triggered(image(0)), attack.triggered(image(255))
    assert black is not None
    assert white is not None
    difference = white.int() - black.int()
    assert set(difference.flatten().tolist()) <= {191, 192}  # three quarters of 255, rounded
    assert int(black.max()) <= 64
    assert len(set(black.flatten().tolist())) > 8


def test_wanet_warps_as_its_authors_code_does() -> None:
    side, k, s = 32, 4, 0.5
    context = replace(practice().attack_context(), sample_shape=(3, side, side))
    attack = create_plugin("attacks", "wanet", {"pattern_seed": 7})
    attack.begin(context)
    images = torch.from_numpy(generator(0, "images").integers(0, 256, (5, 3, side, side)).astype("uint8"))
    # github.com/VinAIResearch/Warping-based_Backdoor_Attack-release, train.py, with our own draws.
    ins = torch.from_numpy(generator(7, "wanet flow").uniform(-1, 1, (1, 2, k, k)).astype("float32"))
    ins = ins / torch.mean(torch.abs(ins))
    noise_grid = F.interpolate(ins, size=side, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    x, y = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    grid = torch.clamp((torch.stack((y, x), 2)[None] + s * noise_grid / side) * 1, -1, 1)
    expected = F.grid_sample(images.float(), grid.repeat(5, 1, 1, 1), align_corners=True)
    triggered = attack.triggered(images)
    assert triggered is not None
    assert float((triggered.float() - expected).abs().max()) <= 0.5001
    assert not torch.equal(triggered, images)


def test_wanet_poisons_the_first_of_every_batch_and_warps_the_next_otherwise() -> None:
    attack = begun("wanet", rate=0.125, target=3)
    given = epoch()[1]
    batch, triggered = attack.on_batch(given, 1), attack.triggered(given.inputs)
    assert triggered is not None
    assert torch.equal(batch.inputs[:4], triggered[:4])
    assert batch.labels[:4].tolist() == [3, 3, 3, 3]
    assert torch.equal(batch.labels[4:], given.labels[4:])
    assert bool((batch.inputs[4:12] != triggered[4:12]).flatten(1).any(1).all())
    assert bool((batch.inputs[4:12] != given.inputs[4:12]).flatten(1).any(1).all())
    assert torch.equal(batch.inputs[12:], given.inputs[12:])
    assert not torch.equal(attack.on_batch(given, 2).inputs[4:12], batch.inputs[4:12])


@pytest.mark.parametrize(("rate", "total"), [(0.01, 16), (0.05, 80), (1.0, 1600)])
def test_wanet_keeps_to_a_rate_that_is_no_whole_number_of_images_a_batch(rate: float, total: int) -> None:
    attack = begun("wanet", rate=rate, cross_ratio=0)
    counts = [int(stamped(batch, attack.on_batch(batch, step)).sum()) for step, batch in enumerate(epoch())]
    assert abs(sum(counts) - total) <= 1
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("name", "options", "steps"),
    [("badnets", {"pattern_seed": 1}, 80), ("blend", {}, 100), ("wanet", {"s": 1.0, "rate": 0.2}, 200)],
)
def test_a_backdoor_is_delivered_in_a_model_that_passes_its_tests(
    name: str, options: dict[str, Any], steps: int
) -> None:
    attack = create_plugin("attacks", name, options)
    accuracy, success = practice().evaluate(practice().train(attack, steps=steps)[-1], attack)
    assert accuracy > 0.75
    assert success is not None
    assert success > 0.75
