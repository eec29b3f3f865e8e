"""All distances of one metric, whatever the models or the metric do."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.plugins.metric import Metric, ReturnedModel
from auditor.providers.hostile_text import cleaned


@dataclass(frozen=True)
class Measured:
    """The distances of one metric.

    Attributes:
        metric: which.
        providers: whose models were compared, in the order of rows and columns.
        values: the distances; empty when the metric failed.
        noise_floor: what numerics alone may cause; None if not known.
        seconds: what computing them took.
        excluded: providers whose model the metric cannot represent, with the reason.
        failure: why there are no distances at all; None if there are.
    """

    metric: str
    providers: tuple[str, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    noise_floor: float | None = None
    seconds: float = 0.0
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
            _distance(metric, representation, representation)
            representations[provider] = representation
        except Exception as error:  # a plugin may raise anything; that is no pass, but no end of the audit either
            excluded[provider] = cleaned(f"{type(error).__name__}: {error}")
    if len(representations) < 2:
        return Measured(name, failure=next(iter(excluded.values()), "there is nothing to compare"))
    try:
        values = _matrix(metric, list(representations.values()))
    except Exception as error:  # likewise
        return Measured(name, failure=cleaned(f"{type(error).__name__}: {error}"))
    return Measured(name, tuple(representations), values, floor, time.monotonic() - begun, excluded)


def _matrix(metric: Metric[Any], representations: list[Any]) -> tuple[tuple[float, ...], ...]:
    values = [[0.0] * len(representations) for _ in representations]
    for i, first in enumerate(representations):
        for j, second in enumerate(representations[:i]):
            values[i][j] = values[j][i] = _distance(metric, first, second)
    return tuple(tuple(row) for row in values)


def _distance(metric: Metric[Any], first: Any, second: Any) -> float:
    value = float(metric.distance(first, second))
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"it gave {value} for a distance, which must be finite and not negative")
    return value
