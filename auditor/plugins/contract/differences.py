"""Where checkpoints differ, and which options an attack had, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]


def difference(some: Sequence[Tensors], others: Sequence[Tensors]) -> str:
    """Where two executions first differ, in words; empty when they do not."""
    for first, second in zip(some, others, strict=True):
        if changed := changed_names(second, first):
            return f"at step {int(second['step'])} {changed} differ"
    return ""


def changed_names(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> str:
    """The names of the tensors that differ, in words; empty when none does."""
    import torch

    return some_names([name for name in before if name not in after or not torch.equal(before[name], after[name])])


def some_names(names: Sequence[str]) -> str:
    """A few names in words, and how many more there are."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def words(options: Mapping[str, Any]) -> str:
    """Options as a reader would write them."""
    return ", ".join(f"{name} = {value!r}" for name, value in options.items()) or "no options"
