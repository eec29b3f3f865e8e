"""Figures of benchmarks with their intervals, as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def mean_with_interval(values: Sequence[float]) -> str:
    """The mean, with the 95 % interval that Student's t gives for it."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.3f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:.3f} ± {half:.3f}"


def area_under_curve(negatives: Sequence[float], positives: Sequence[float]) -> str:
    """How often a positive has the larger score, ties counting half, with the 95 % interval of Hanley and McNeil."""
    pairs = np.subtract.outer(np.asarray(positives), np.asarray(negatives))
    area = float((np.sign(pairs) + 1).mean() / 2)
    count = len(negatives)
    larger, smaller = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (count - 1) * (larger + smaller - 2 * area**2)) / count**2
    return f"{area:.2f} ± {1.96 * max(variance, 0) ** 0.5:.2f}"


def share(count: int, of: int) -> str:
    """A share, with the exact 95 % interval (Clopper and Pearson, 1934)."""
    low = 0.0 if count == 0 else float(stats.beta.ppf(0.025, count, of - count + 1))
    high = 1.0 if count == of else float(stats.beta.ppf(0.975, count + 1, of - count))
    return f"{100 * count / of:.0f} % of {of} ({100 * low:.0f}–{100 * high:.0f})"
