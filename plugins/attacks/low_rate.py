"""An attack whose poisoned samples count little, so that its backdoor grows slowly and leaves weaker traces."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch

from auditor.plugins import AttackWrapper, Batch, WrapperOptions, option


class LowRateOptions(WrapperOptions):
    """What a job file may write for `low_rate`."""

    ratio: float = option(0.1, "weight of a poisoned sample's loss beside that of an honest one", ge=0, le=1)


class LowRate(AttackWrapper):
    """Another attack, with the loss of the poisoned samples weighted down by a ratio.

    Lowering the learning rate on poisoned samples keeps Neural Cleanse's anomaly index under its threshold (RTTD,
    arXiv 2504.00170). A sample counts as poisoned if the wrapped attack changed its input or its label; those
    of WaNet's noise mode count, too.
    """

    name = "low_rate"
    example: ClassVar = {"attack": {"name": "badnets", "rate": 0.3}}
    Options = LowRateOptions
    options: LowRateOptions

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """As the wrapped attack, with other weights."""
        poisoned = super().on_batch(batch, step)
        weights = torch.where(changed_samples(batch, poisoned), poisoned.weights * self.options.ratio, poisoned.weights)
        return replace(poisoned, weights=weights)


def changed_samples(given: Batch, returned: Batch) -> torch.Tensor:
    """Which samples of `returned` are not as they were given, bool [B].

    Samples are recognised by their index, so that an attack may drop or reorder some; one that was not given at all
    counts as changed.
    """
    same = returned.indices[:, None] == given.indices
    known, position = same.any(1), same.to(torch.uint8).argmax(1)
    changed = ~known | (returned.labels != given.labels[position])
    if returned.inputs.shape[1:] != given.inputs.shape[1:]:
        return torch.ones_like(changed)
    return changed | (returned.inputs != given.inputs[position]).flatten(1).any(1)
