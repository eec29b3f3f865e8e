"""What the tests of attacks share: one practice job, and attacks that have begun in it."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from auditor.plugins import Attack, Batch, create_plugin
from auditor.plugins.contract import Practice, open_practice

Tensors = dict[str, torch.Tensor]


@cache
def practice() -> Practice:
    return open_practice("vision")


def begun(name: str, **options: Any) -> Attack:
    """An attack that was told what it would be told in the practice job."""
    attack = create_plugin("attacks", name, options)
    attack.begin(practice().attack_context())
    return attack


@cache
def epoch() -> tuple[Batch, ...]:
    return tuple(practice().batches())


@cache
def honest() -> list[Tensors]:
    """What an honest provider delivers at steps 4 and 8."""
    return practice().train(None)


def delivered(name: str, *, steps: int = 8, **options: Any) -> list[Tensors]:
    """What an attack delivers there."""
    return practice().train(create_plugin("attacks", name, options), steps=steps)


def differing(some: Tensors, others: Tensors) -> set[str]:
    """The names of the tensors that differ."""
    assert some.keys() == others.keys()
    return {name for name in some if not torch.equal(some[name], others[name])}


def stamped(batch: Batch, poisoned: Batch) -> torch.Tensor:
    """Whose inputs differ, bool [B]."""
    return (batch.inputs != poisoned.inputs).flatten(1).any(1)
