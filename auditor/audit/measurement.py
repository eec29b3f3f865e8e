"""All distances of one metric, whatever the models or the metric do, and how far numerics alone drive models apart."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from auditor.base.hostile_text import cleaned
from auditor.plugins.metric import Metric, ReturnedModel

REMARK_CHARACTERS = 200
"""More of what a metric remarks on a model is cut off."""

ROUNDING = 1e-6
"""Distances there and back may differ by this share: they can come from sums in another order."""


UNKNOWN_GROWTH = 3.5
"""The power of the number of steps that noise is taken to grow with where only one step was executed: the fastest that
was measured of any metric (cka and zest, which are squares of what parameters differ by)."""


@dataclass(frozen=True)
class Rehearsed:
    """Honest executions of the sub-run by the client itself, as a metric sees them.

    Attributes:
        start: the checkpoint that the sub-run starts from, as if nothing had been trained.
        ends: after `steps` steps, the usual way first.
        halfway: after half of these, where `steps` are not all steps of the sub-run; else empty.
        steps: how many were executed.
        of: how many the sub-run has.
        elsewhere: the whole sub-run as machines that the client trusts executed it.
    """

    start: ReturnedModel
    ends: Sequence[ReturnedModel]
    halfway: Sequence[ReturnedModel]
    steps: int
    of: int
    elsewhere: Sequence[ReturnedModel] = ()


@dataclass(frozen=True)
class Noise:
    """How far numerics alone may drive honest models with the same seeds apart, under one metric.

    Attributes:
        floor: the largest distance of an honest execution from the usual one; None if it is not known.
        size: how far apart results are that have nothing to do with one another; None if it is not known.
        source: how it is known, or why it is not, in words.
    """

    floor: float | None = None
    size: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Measurement:
    """The distances of one metric.

    Attributes:
        metric: which.
        providers: whose models were compared, in the order of rows and columns.
        values: the distances; empty when the metric failed.
        noise: what numerics alone may cause.
        spread: how much honest distances scatter with seeds of the providers' own (see `Metric.spread`).
        seconds: what computing them took.
        remarks: for some providers, where their model differs most from the others.
        excluded: providers whose model the metric cannot represent, with the reason.
        failure: why there are no distances at all; None if there are.
        given_up: whether the metric took too long, so that later sub-runs do without it.
    """

    metric: str
    providers: tuple[str, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    noise: Noise = Noise()
    spread: float | None = None
    seconds: float = 0.0
    remarks: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    failure: str | None = None
    given_up: bool = False

    def blaming(self, place: str) -> Measurement:
        """The same, in which every failure also says where the metric comes from."""
        excluded = {provider: f"{reason} ({place})" for provider, reason in self.excluded.items()}
        return replace(self, excluded=excluded, failure=self.failure and f"{self.failure} ({place})")


def measure(name: str, metric: Metric[Any], models: Mapping[str, ReturnedModel], noise: Noise) -> Measurement:
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
        return Measurement(name, failure=next(iter(excluded.values()), "there are fewer than two models to compare"))
    try:
        comparison = metric.compare(list(representations.values()))
        values = _matrix(comparison.distances, len(representations))
        remarks = {
            provider: cleaned(remark, REMARK_CHARACTERS)
            for provider, remark in zip(representations, comparison.remarks, strict=bool(comparison.remarks))
            if remark
        }
    except Exception as error:  # likewise
        return Measurement(name, failure=cleaned(f"{type(error).__name__}: {error}"))
    seconds = time.monotonic() - begun
    return Measurement(name, tuple(representations), values, noise, metric.spread, seconds, remarks, excluded)


def measure_noise(metric: Metric[Any], rehearsed: Rehearsed) -> Noise:
    """How far honest executions by the client lie from its usual one."""
    try:
        ends = [metric.represent(model) for model in rehearsed.ends]
        floor = _largest(metric, ends)
        size = metric.unrelated
        if size is None:
            size = _checked(metric.distance(metric.represent(rehearsed.start), ends[0]))
        if rehearsed.steps == rehearsed.of:
            source = f"executed by the client in {len(ends)} ways"
        else:
            half = _largest(metric, [metric.represent(model) for model in rehearsed.halfway])
            growth = _growth(half, floor, rehearsed.steps)
            floor *= (rehearsed.of / rehearsed.steps) ** growth
            source = f"extrapolated from {rehearsed.steps} of {rehearsed.of} steps that the client executed"
        if rehearsed.elsewhere:
            whole = ends[:1] if rehearsed.steps == rehearsed.of else []
            others = [metric.represent(model) for model in rehearsed.elsewhere]
            floor = max(floor, _apart(metric, [*whole, *others]))
            source += f", and by {len(others)} other machine{'s' if len(others) > 1 else ''}"
    except Exception as error:  # a plugin may raise anything
        return Noise(source=cleaned(f"the metric failed on the client's own models: {type(error).__name__}: {error}"))
    return Noise(floor, size or None, source)


def _largest(metric: Metric[Any], representations: Sequence[Any]) -> float:
    """The largest distance from the first."""
    return max(_checked(row) for row in metric.compare(representations).distances[0])


def _apart(metric: Metric[Any], representations: Sequence[Any]) -> float:
    """The largest distance between any two."""
    if len(representations) < 2:
        return 0.0
    return max(_checked(value) for row in metric.compare(representations).distances for value in row)


def _growth(half: float, whole: float, steps: int) -> float:
    """The power of the number of steps that noise grew with from half of them to all."""
    if steps < 2 or half <= 0 or whole <= 0:
        return UNKNOWN_GROWTH
    return min(max(math.log(whole / half) / math.log(steps / (steps // 2)), 1.0), 2 * UNKNOWN_GROWTH)


def _matrix(distances: Sequence[Sequence[float]], count: int) -> tuple[tuple[float, ...], ...]:
    """What a metric returned, if it is a matrix of distances among `count` models."""
    rows = [[_checked(value) for value in row] for row in distances]
    if [len(row) for row in rows] != [count] * count:
        raise ValueError(f"it did not return {count} rows of {count} distances")
    for first, second in combinations(range(count), 2):
        if not math.isclose(rows[first][second], rows[second][first], rel_tol=ROUNDING):
            raise ValueError("its distance from one model to another differs from the distance back")
        rows[first][second] = rows[second][first]
    for index, row in enumerate(rows):
        row[index] = 0.0
    return tuple(map(tuple, rows))


def _checked(distance: float) -> float:
    value = float(distance)
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"it returned the distance {value}; a distance must be finite and not negative")
    return value
