"""A histogram of distances, drawn in text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditor.decisions import DistanceMatrix


@dataclass(frozen=True)
class Bar:
    """Distances between `low` and `high`: how many among the reference, how many of the judged provider."""

    low: float
    high: float
    reference: int
    judged: int


def histogram(matrix: DistanceMatrix, judged: Sequence[str], bars: int = 12) -> list[Bar]:
    """Count the distances of a matrix in bars of equal width from 0 to the largest.

    Args:
        matrix: the distances.
        judged: providers whose distances are counted apart; all distances among the others are the reference.
        bars: how many.
    """
    count = len(matrix.providers)
    pairs = [(i, j) for i in range(count) for j in range(i)]
    values = np.array([matrix.values[i, j] for i, j in pairs])
    apart = np.array([bool({matrix.providers[i], matrix.providers[j]} & set(judged)) for i, j in pairs])
    edges = np.linspace(0, max(float(values.max()), 1e-12), bars + 1)
    among, of = (np.histogram(part, edges)[0] for part in (values[~apart], values[apart]))
    return [Bar(float(edges[i]), float(edges[i + 1]), int(among[i]), int(of[i])) for i in range(bars)]


def histogram_lines(matrix: DistanceMatrix, judged: Sequence[str], width: int = 24) -> list[str]:
    """A histogram, one bar a line: `░` distances among the reference, `█` those of the judged providers."""
    bars = histogram(matrix, judged)
    longest = max(bar.reference + bar.judged for bar in bars) or 1
    scale = min(1.0, width / longest)
    lines = []
    for bar in bars:
        among = max(round(bar.reference * scale), bool(bar.reference))
        of = max(round(bar.judged * scale), bool(bar.judged))
        number = str(bar.reference + bar.judged) if bar.reference + bar.judged else ""
        lines.append(f"{bar.low:8.3g} – {bar.high:<8.3g} {'░' * among}{'█' * of} {number}".rstrip())
    return lines
