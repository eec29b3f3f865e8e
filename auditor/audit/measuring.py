"""All distances of one metric, whatever the models or the metric do."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from auditor.plugins.metric import Metric, ReturnedModel
from auditor.providers.hostile_text import cleaned

REMARK_CHARACTERS = 200
"""More of what a metric remarks on a model is cut off."""

ROUNDING = 1e-6
"""Distances there and back may differ by this share: they can come from sums in another order."""


@dataclass(frozen=True)
class Measured:
    """The distances of one metric.

    Attributes:
        metric: which.
        providers: whose models were compared, in the order of rows and columns.
        values: the distances; empty when the metric failed.
        noise_floor: what numerics alone may cause; None if not known.
        spread: how much honest distances scatter with seeds of the providers' own (see `Metric.spread`).
        seconds: what computing them took.
        remarks: for some providers, where their model differs most from the others.
        excluded: providers whose model the metric cannot represent, with the reason.
        failure: why there are no distances at all; None if there are.
    """

    metric: str
    providers: tuple[str, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    noise_floor: float | None = None
    spread: float | None = None
    seconds: float = 0.0
    remarks: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None

    def blaming(self, place: str) -> Measured:
        """The same, in which every failure also says where the metric comes from."""
        excluded = {provider: f"{reason} ({place})" for provider, reason in self.excluded.items()}
        return replace(self, excluded=excluded, failure=self.failure and f"{self.failure} ({place})")


def measure(name: str, metric: Metric[Any], models: Mapping[str, ReturnedModel], floor: float | None) -> Measured:
    """Represent each model and compare all pairs.

    A provider may return weights that break a metric, by overflow for instance. Its model is then left out, so
    that it cannot spoil the comparison of the others; it is a doubt about that provider alone.
    """
    begun = time.monotonic()
    representations: dict[str, Any] = {}
    excluded: dict[str, str] = {}
    for provider, model in models.items():
        try:
            representation = metric.represent(model)
            _checked(metric.distance(representation, representation))
            representations[provider] = representation
        except Exception as error:  # a plugin may raise anything; that is no pass, but no end of the audit either
            excluded[provider] = cleaned(f"{type(error).__name__}: {error}")
    if len(representations) < 2:
        return Measured(name, failure=next(iter(excluded.values()), "there is nothing to compare"))
    try:
        comparison = metric.compare(list(representations.values()))
        values = _matrix(comparison.distances, len(representations))
        remarks = {
            provider: cleaned(remark, REMARK_CHARACTERS)
            for provider, remark in zip(representations, comparison.remarks, strict=bool(comparison.remarks))
            if remark
        }
    except Exception as error:  # likewise
        return Measured(name, failure=cleaned(f"{type(error).__name__}: {error}"))
    seconds = time.monotonic() - begun
    return Measured(name, tuple(representations), values, floor, metric.spread, seconds, remarks, excluded)


def _matrix(distances: Sequence[Sequence[float]], count: int) -> tuple[tuple[float, ...], ...]:
    """What a metric gave, if it is a matrix of distances among so many models."""
    rows = [[_checked(value) for value in row] for row in distances]
    if [len(row) for row in rows] != [count] * count:
        raise ValueError(f"it did not give {count} rows of {count} distances")
    for first, second in combinations(range(count), 2):
        if not math.isclose(rows[first][second], rows[second][first], rel_tol=ROUNDING):
            raise ValueError("its distances from one model to another and back differ")
        rows[first][second] = rows[second][first]
    for index, row in enumerate(rows):
        row[index] = 0.0
    return tuple(map(tuple, rows))


def _checked(distance: float) -> float:
    value = float(distance)
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"it gave {value} for a distance, which must be finite and not negative")
    return value
