"""What decisions work on and what they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from auditor.base.majority import counted_on
from auditor.base.seeds import Seeds
from auditor.decisions.noise import hides_attack

Distances = NDArray[np.float64]


@dataclass(frozen=True)
class DistanceMatrix:
    """The distances of one metric among the models returned for one sub-run.

    Attributes:
        sub_run: which sub-run, counted from 0.
        metric: which metric.
        providers: whose models, in the order of rows and columns.
        values: float [n, n], symmetric, zero on the diagonal.
        noise_floor: how far apart numerics alone may drive honest models with the same seeds; None if not known.
        spread: what the standard deviation of log distances among benign providers with own seeds is known to be
            about; None if not known.
        size: how far apart models lie that have nothing in common; None if not known.
        noise_source: how the noise floor is known, or why it is not, in words.
    """

    sub_run: int
    metric: str
    providers: tuple[str, ...]
    values: Distances
    noise_floor: float | None
    spread: float | None = None
    size: float | None = None
    noise_source: str = ""


@dataclass(frozen=True)
class Assumptions:
    """What an audit takes for granted.

    Attributes:
        benign_fraction: r, the share of benign providers.
        seeds: whether all providers train with the same.
        false_alarm_rate: the probability that is accepted of flagging one benign provider in a whole run.
    """

    benign_fraction: float
    seeds: Seeds
    false_alarm_rate: float

    def benign(self, participants: int) -> int:
        """How many of the participants are assumed benign (`majority`)."""
        return counted_on(self.benign_fraction, participants)


@dataclass(frozen=True)
class Judgement:
    """What one metric says of one provider in one sub-run.

    Attributes:
        sub_run: which sub-run.
        metric: which metric.
        provider: who is judged.
        p_value: the probability of looking so deviant while being benign; None when the rule cannot tell.
        ratio: distance to the reference over distances within it; None when there is no reference.
        reference: whom the provider was compared with.
        note: why there is no p-value, in plain words; empty when there is one.
        noise: with shared seeds the noise that is allowed for, as a share of how far apart models lie that have nothing
            in common; None where it is not known.
    """

    sub_run: int
    metric: str
    provider: str
    p_value: float | None
    ratio: float | None
    reference: tuple[str, ...]
    note: str = ""
    noise: float | None = None

    @property
    def blind(self) -> bool:
        """Whether a deviation as large as half of what was trained would fit in the noise that is allowed for."""
        return hides_attack(self.noise)


class Decision(Protocol):
    """A rule.

    It sees all matrices so far, in the order in which they were measured, so that it may learn from one about those
    after it. What it says of one never changes.
    """

    name: str

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix."""

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """The smallest p-value that the rule can give for one sub-run with this many participants."""
