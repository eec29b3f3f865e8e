"""Where providers stand: the distances that the ratio rule compared, and how far one may lie before it is flagged.

A rule gives a ratio and a p-value. For a picture of distances both are turned back into a distance: the judged provider
is flagged where the median of its distances to its reference is

    R · (median of the distances among the reference),

R being the ratio whose p-value is the threshold. With shared seeds R is known beforehand. With own seeds it follows
from the spread that the rule had estimated by then, which the ratio and the p-value of any provider beyond the
allowance tell. Nothing is guessed: where the recorded figures are not those of the ratio rule on these distances, as
with another rule, there is no such distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from auditor.base.seeds import Seeds
from auditor.decisions.clique import log_ratio, tightest, within
from auditor.decisions.distances import Assumptions, DistanceMatrix
from auditor.decisions.own_seeds import scale_behind
from auditor.decisions.scale import Scale
from auditor.decisions.shared_seeds import SCALE, allowance, raised


@dataclass(frozen=True)
class Figures:
    """What was recorded of one provider under one metric; see `Judgement`. `threshold` is the p-value that flags."""

    ratio: float | None
    p_value: float | None
    threshold: float | None


@dataclass(frozen=True)
class Standing:
    """One provider and its reference.

    Attributes:
        provider: whose.
        reference: whom it is compared with.
        to: its distances to them.
        among: the distances among them.
        flagged_from: the median of `to` from which the rule flags it; None where that is not known exactly.
    """

    provider: str
    reference: tuple[str, ...]
    to: tuple[float, ...]
    among: tuple[float, ...]
    flagged_from: float | None


def standings(matrix: DistanceMatrix, found: Mapping[str, Figures], assumptions: Assumptions) -> list[Standing]:
    """Where every provider of a matrix stands, in its order; empty where there is no reference.

    Args:
        matrix: of three providers or more; with fewer there is no reference.
        found: what was recorded of them, as far as they were judged.
        assumptions: what the audit takes for granted.
    """
    count = len(matrix.providers)
    if count < 3:
        return []
    shared = assumptions.seeds is Seeds.SHARED
    allowed = allowance(matrix) if shared else None
    values = matrix.values if allowed is None else raised(matrix, allowed)
    group = tightest(values, range(count), assumptions.benign(count))
    scale = _scale(found, known=bool(allowed), shared=shared)
    made = []
    for index, provider in enumerate(matrix.providers):
        logarithm, clique = log_ratio(values, index, group)
        figures = found.get(provider)
        middle = float(np.median(within(values, clique)))
        same = figures is not None and _same(figures.ratio, logarithm)
        made.append(
            Standing(
                provider,
                tuple(matrix.providers[member] for member in clique),
                tuple(float(value) for value in matrix.values[index, list(clique)]),
                tuple(float(value) for value in within(matrix.values, clique)),
                _flagged_from(scale, figures, middle) if same and figures is not None and scale is not None else None,
            )
        )
    return made


def _scale(found: Mapping[str, Figures], *, known: bool, shared: bool) -> Scale | None:
    """What log ratios were measured by; None where it cannot be told, or the figures are those of another rule."""
    pairs = [(one.ratio, one.p_value) for one in found.values() if one.ratio is not None and one.p_value is not None]
    if shared:
        candidates = [SCALE] if known else []
    else:
        candidates = [scale for pair in pairs if (scale := scale_behind(*pair)) is not None][:1]
    fits = all(
        math.isclose(scale.p_value(math.log(ratio)), p_value, rel_tol=1e-6, abs_tol=1e-300)
        for scale in candidates
        for ratio, p_value in pairs
        if ratio > 0 and p_value < 0.5
    )
    return candidates[0] if candidates and fits else None


def _same(ratio: float | None, logarithm: float) -> bool:
    return ratio is not None and ratio > 0 and math.isclose(math.log(ratio), min(logarithm, 700.0), abs_tol=1e-6)


def _flagged_from(scale: Scale, figures: Figures, middle: float) -> float | None:
    if figures.threshold is None or not 0 < figures.threshold < 0.5 or not middle > 0:
        return None
    return scale.ratio_at(figures.threshold) * middle
