"""How far numerics alone can drive honest executions apart."""

from __future__ import annotations

from dataclasses import dataclass

EARLY_HALF_LIFE = 50
"""Steps in which the surplus noise of a fresh network halves."""


@dataclass(frozen=True)
class NoiseFloor:
    """An upper envelope of a metric's distances among honest executions with the same seeds.

    Differing processors, thread counts and memory layouts round differently, and training amplifies the
    difference with every step, most of all while the weights are fresh. The envelope is

        per_step · k^growth · (1 + (early − 1) · 2^(−start / 50))

    and its constants are measured (`tests/bench/noise_floor.py`: ResNet-8 on digits and on CIFAR-10, the models
    for texts on `reviews` and on SST-2).

    Attributes:
        per_step: the distance after one step.
        growth: the power of k that it grows with.
        early: how many times larger it is when the sub-run starts from fresh weights.
        most: no distance is larger, whatever k.
    """

    per_step: float
    growth: float
    early: float
    most: float

    def at(self, start_step: int, steps: int) -> float:
        """The envelope for a sub-run of `steps` steps that starts at `start_step`."""
        surplus = (self.early - 1) * 0.5 ** (start_step / EARLY_HALF_LIFE)
        return float(min(self.most, self.per_step * steps**self.growth * (1 + surplus)))
