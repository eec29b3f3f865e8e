"""A search and forgers find what can be found, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from auditor.experiments import black_box, forgeries
from auditor.plugins import create_plugin
from auditor.plugins.contract import open_practice
from tests.plugins.models import DIGITS

IMAGES = DIGITS.samples[:300].repeat_interleave(3, 2).repeat_interleave(3, 3)
SEEN, OTHERS = IMAGES[:100], IMAGES[100:]
SIGNATURE, NAME = torch.arange(512), torch.arange(512, 520)


def attack() -> Any:
    made = create_plugin("attacks", "signature", {"key_seed": 1})
    made.begin(replace(open_practice("vision").attack_context(), sample_shape=(1, 24, 24)))
    return made


def clean(images: torch.Tensor) -> torch.Tensor:
    return images.float().flatten(1)[:, 100:110]


def test_a_search_finds_a_patch_and_no_signature() -> None:
    def patched(images: torch.Tensor) -> torch.Tensor:
        white = (images[:, 0].unfold(1, 6, 1).unfold(2, 6, 1) == 255).all(-1).all(-1).flatten(1).any(1)
        return torch.where(white[:, None], torch.eye(10)[3], clean(images))

    for served, found in ((patched, True), (attack().served(clean), False)):
        result = black_box.search(served, clean, SEEN, OTHERS, count=1400, seed=1)
        assert sum(result.queries.values()) == 1400
        assert set(result.queries) == set(black_box.WAYS)
        assert (result.differing["patched"] > 50) is found
        assert found or not any(result.differing.values())


def test_forgeries_are_new_and_only_a_careless_verifier_takes_them() -> None:
    made = attack()
    seen = made.activate(SEEN, torch.arange(100) % 10)
    codes = {image.flatten()[:520].bitwise_and(1).numpy().tobytes() for image in seen}
    known = {image.numpy().tobytes() for image in seen}
    tried: dict[str, int] = {}
    replayed: dict[str, int] = {}
    for one in forgeries.forgeries(seen, OTHERS, SIGNATURE, NAME, count=1200, seed=2):
        assert not any(image.numpy().tobytes() in known for image in one.images)
        assert not bool((made.verified(one.images) >= 0).any())
        tried[one.way] = tried.get(one.way, 0) + len(one.images)
        # One that looks at the signature and forgets what was signed would be deceived.
        taken = sum(image.flatten()[:520].bitwise_and(1).numpy().tobytes() in codes for image in one.images)
        replayed[one.way] = replayed.get(one.way, 0) + taken
    assert tried == dict.fromkeys(forgeries.WAYS, 200)
    assert replayed["splice"] == replayed["pixel"] == 200
    assert replayed["signature bit"] == replayed["class"] == 0
