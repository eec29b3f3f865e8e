"""Saying how much of a model is trained, and how much of it travels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from torch import Tensor, nn

from auditor.tasks.checkpoint import MODEL
from auditor.tasks.frozen_base import FrozenBase
from auditor.tasks.inventory import Remark


def untrained_remarks(model: nn.Module, base: FrozenBase) -> tuple[Remark, ...]:
    """What people should know of a model of which a part is not trained; tied parameters count once.

    Args:
        model: that has the base.
        base: what is not trained.
    """
    state = {f"{MODEL}{name}": tensor for name, tensor in model.state_dict().items()}
    count = sum(parameter.numel() for parameter in model.parameters())
    kept, _ = _size(base.tensors.values())
    drawn, _ = _size(state[name] for name in base.drawn)
    remarks = []
    if kept:
        digest = hashlib.sha256(base.definition).hexdigest()
        travelling, whole = (
            _size(tensor for name, tensor in state.items() if name not in left)[1] / 1e6 for left in (base.tensors, {})
        )
        remarks.append(
            f"{count - kept - drawn:,} of {count:,} parameters are trained. {kept:,} never travel: every provider "
            f"makes them itself, with the digest {digest}. A checkpoint has the remaining {travelling:,.1f} MB of "
            f"{whole:,.1f} MB, and the optimizer's state"
        )
    if drawn:
        remarks.append(
            f"{drawn:,} parameters are not trained, but travel, because another seed makes others. Where the client "
            "knows the seed, each checkpoint that is opened must have those of it"
        )
    return tuple(Remark("note", words) for words in remarks)


def _size(tensors: Iterable[Tensor]) -> tuple[int, int]:
    """The numbers in some tensors, and their bytes; those that are in the same place count once."""
    places = {tensor.data_ptr(): tensor for tensor in tensors}
    return sum(tensor.numel() for tensor in places.values()), sum(tensor.nbytes for tensor in places.values())
