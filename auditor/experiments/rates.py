"""Rates with exact confidence intervals, and how well scores separate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True)
class Rate:
    """A number of cases among all cases.

    Attributes:
        count: how many.
        total: of how many.
    """

    count: int
    total: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.count / self.total if self.total else None

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """The exact interval of Clopper and Pearson (1934), for independent trials."""
        from scipy.stats import beta

        tail = (1 - confidence) / 2
        low = float(beta.ppf(tail, self.count, self.total - self.count + 1)) if self.count else 0.0
        high = float(beta.ppf(1 - tail, self.count + 1, self.total - self.count)) if self.count < self.total else 1.0
        return low, high

    def __add__(self, other: Rate) -> Rate:
        """Both together."""
        return Rate(self.count + other.count, self.total + other.total)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The interval of Student's t for the mean of independent values; the mean alone where there is but one.

    Raises:
        statistics.StatisticsError: there are no values.
    """
    from scipy.stats import t as student

    mean = fmean(values)
    if len(values) < 2:
        return mean, mean
    reach = float(student.ppf((1 + confidence) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return mean - reach, mean + reach


def area_under_curve(malicious: Sequence[float], benign: Sequence[float]) -> float | None:
    """The probability that a malicious score is above a benign one, ties counting half (Mann and Whitney, 1947)."""
    import numpy as np
    from scipy.stats import rankdata

    if not len(malicious) or not len(benign):
        return None
    ranks = rankdata(np.concatenate([malicious, benign]))[: len(malicious)]
    above = float(ranks.sum()) - len(malicious) * (len(malicious) + 1) / 2
    return above / (len(malicious) * len(benign))
