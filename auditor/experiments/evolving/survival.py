"""γ-survivability: for how many updates a backdoor outlives its poisoning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from auditor.experiments.rates import mean_interval

HORIZON = 14
"""Updates after the poisoning that are looked at (Permanence of Backdoors in Evolving Models, §4: of 15 updates, so
that poisoning the first training and poisoning the first update compare)."""


@dataclass(frozen=True)
class Survival:
    """How long the backdoors of several instances survived.

    Attributes:
        gamma: the success that counts as alive.
        counts: of each instance, the updates.
        implanted: how many instances had the backdoor at all when the poisoning stopped.
        censored: how many were still alive when no more updates were measured, fewer than the horizon.
        horizon: the most that is counted.
    """

    gamma: float
    counts: tuple[int, ...]
    implanted: int
    censored: int
    horizon: int

    @property
    def mean(self) -> float:
        """Over instances."""
        return fmean(self.counts)

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of Student's t for the mean over instances, kept within 0 and the horizon.

        It has no width where all instances agree, which is all that it can say of a few whole numbers.
        """
        low, high = mean_interval(self.counts)
        return max(0.0, low), min(float(self.horizon), high)


def survived(success: Mapping[int, float], last: int, gamma: float, horizon: int = HORIZON) -> int:
    """The γ-survivability of one backdoor: the updates in a row after the last poisoned one with a success over γ.

    It is 0 where the success was not over γ when the poisoning stopped.

    Args:
        success: of the attack after each update, by its number; 0 is the first training.
        last: the last poisoned update.
        gamma: strictly between 0 and 1.
        horizon: the most that is counted.
    """
    if success.get(last, 0.0) <= gamma:
        return 0
    count = 0
    while count < horizon and success.get(last + count + 1, 0.0) > gamma:
        count += 1
    return count


def survival(instances: Sequence[Mapping[int, float]], last: int, gamma: float, horizon: int = HORIZON) -> Survival:
    """The γ-survivability of several instances of one backdoor.

    Args:
        instances: what `survived` takes, of each.
        last: the last poisoned update.
        gamma: likewise.
        horizon: likewise.
    """
    counts = tuple(survived(success, last, gamma, horizon) for success in instances)
    censored = sum(
        0 < count < horizon and last + count == max(success) for count, success in zip(counts, instances, strict=True)
    )
    implanted = sum(success.get(last, 0.0) > gamma for success in instances)
    return Survival(gamma, counts, implanted, censored, horizon)
