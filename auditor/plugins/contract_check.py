"""Trying a plugin out: its contract, check by check, and what it costs."""

from __future__ import annotations

import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, Literal, cast
from unittest import SkipTest

from auditor.plugins.attack import Attack
from auditor.plugins.catalogue import AnyPlugin, Catalogue, Kind, Origin, PluginError
from auditor.plugins.contract import (
    AttackContract,
    DriftContract,
    InspectorContract,
    MetricContract,
    Practice,
    open_practice,
)
from auditor.plugins.contract.drift import PARTS, SAMPLES, applied, begin_on_practice
from auditor.plugins.contract.practice import GROUP
from auditor.plugins.drift import Drift
from auditor.plugins.inspector import Inspector
from auditor.plugins.metric import Metric, fits

CONTRACTS: dict[str, tuple[type, str]] = {
    "attacks": (AttackContract, "attack"),
    "drifts": (DriftContract, "drift"),
    "inspectors": (InspectorContract, "inspector"),
    "metrics": (MetricContract, "metric"),
}
"""The contract of each kind, and what the plugin is called in it."""

Outcome = Literal["begun", "passed", "failed", "skipped"]

TIMED_STEPS = (4, 24)
"""What an attack costs is timed in trainings of two lengths, so that what is done once drops out."""
NOISE_STEPS = (8, 40)
ROUNDING = 6e-8
"""Half the distance from 1 to the next float32."""
REPEATS = 3
"""Times that everything is timed; the median counts."""


@dataclass(frozen=True)
class Check:
    """One check of a plugin.

    Attributes:
        name: what must hold, in words.
        task: the kind of task that it was tried on; empty where that does not matter.
        outcome: `begun` is followed by one of the others, unless it never came to an end.
        reason: why it failed or was skipped.
        seconds: what it took.
    """

    name: str
    task: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What a plugin costs on the practice job.

    Attributes:
        task: of the practice job.
        representation_seconds: what one model takes a metric.
        distance_seconds: what a pair of them takes it.
        noise: how far apart it finds two honest trainings whose initial weights differ by a rounding: pairs of
            steps and distance.
        step_ratio: how long a step with an attack takes, honest steps being 1.
        inspection_seconds: what one model takes an inspector.
        drift_seconds: what a thousand samples take a drift.
    """

    task: str
    representation_seconds: float | None = None
    distance_seconds: float | None = None
    noise: tuple[tuple[int, float], ...] = ()
    step_ratio: float | None = None
    inspection_seconds: float | None = None
    drift_seconds: float | None = None


def check(origin: Origin, plugins: Catalogue, options: Mapping[str, Any] | None) -> Iterator[Check | Cost]:
    """Try a plugin with these options, or with its `example`, on every kind of task that there is practice for."""
    loads = Check("it loads", "", "begun")
    yield loads
    try:
        plugin = plugins.load(cast("Kind", origin.kind), origin.name)
    except PluginError as error:
        yield replace(loads, outcome="failed", reason=str(error))
        return
    yield replace(loads, outcome="passed")
    if origin.file is None:
        yield from _run("its name equals its entry point", "", lambda: _check_name(origin, plugin))
    given = plugin.example if options is None else options
    made = True
    for result in _run("it can be created", "", lambda: _check_options(origin, plugins, given)):
        made = result.outcome != "failed"
        yield result
    if not made:
        return
    there = {point.name for point in entry_points(group=GROUP)}
    # Which tasks a wrapper can be used in depends on what it wraps.
    usable = plugins.create(cast("Kind", origin.kind), origin.name, given).tasks
    tasks = sorted(kind for kind in there if fits(kind, usable))
    if not tasks:
        reason = f"there is nothing to practise {' or '.join(sorted(usable))} tasks on; there is {there}"
        yield Check("it can be tried", "", "failed", reason)
    for task in tasks:
        passed = True
        for result in _contract(origin.kind, plugin, given, task):
            passed = passed and result.outcome != "failed"
            yield result
        if passed:
            yield from _timed(origin, plugins, given, task)


def _check_name(origin: Origin, plugin: AnyPlugin) -> None:
    name = getattr(plugin, "name", None)
    assert name == origin.name, f"it is installed as {origin.name!r}, but its class has the name {name!r}."


def _check_options(origin: Origin, plugins: Catalogue, options: Mapping[str, Any]) -> None:
    try:
        plugins.create(cast("Kind", origin.kind), origin.name, options)
    except PluginError as error:
        raise AssertionError(f"{error} Give --options, or set `example` in the class.") from error


def _contract(kind: str, plugin: AnyPlugin, options: Mapping[str, Any], task: str) -> Iterator[Check]:
    base, called = CONTRACTS[kind]
    contract = type(plugin.__name__, (base,), {called: plugin, "options": options, "task": task})
    for test in [name for name in vars(base) if name.startswith("test_")]:
        yield from _run(test.removeprefix("test_").replace("_", " "), task, getattr(contract(), test))


def _run(name: str, task: str, test: Callable[[], None]) -> Iterator[Check]:
    begun = Check(name, task, "begun")
    yield begun
    since = time.monotonic()
    outcome: Outcome = "passed"
    reason = ""
    try:
        test()
    except AssertionError as error:
        outcome, reason = "failed", str(error) or "an assertion does not hold"
    except SkipTest as error:
        outcome, reason = "skipped", str(error)
    except (Exception, SystemExit) as error:  # a stranger's plugin may raise anything
        traceback.print_exc(file=sys.stderr)
        outcome, reason = "failed", f"{type(error).__name__}: {error}"
    yield replace(begun, outcome=outcome, reason=" ".join(reason.split()), seconds=time.monotonic() - since)


def _timed(origin: Origin, plugins: Catalogue, options: Mapping[str, Any], task: str) -> Iterator[Check | Cost]:
    costs: list[Cost] = []
    plugin = plugins.load(cast("Kind", origin.kind), origin.name)
    practice = open_practice(task, getattr(plugin, "least_values", 0))

    def measure() -> None:
        match origin.kind:
            case "attacks":
                cost = _attack_cost(task, practice, lambda: plugins.create("attacks", origin.name, options))
            case "drifts":
                cost = _drift_cost(task, lambda: plugins.create("drifts", origin.name, options))
            case "inspectors":
                cost = _inspector_cost(task, practice, plugins.create("inspectors", origin.name, options))
            case _:
                cost = _metric_cost(task, practice, plugins.create("metrics", origin.name, options))
        costs.append(cost)

    yield from _run("its cost can be measured", task, measure)
    yield from costs


def _metric_cost(task: str, practice: Practice, metric: Metric[Any]) -> Cost:
    models = [practice.returned(practice.train(seed=seed)[-1]) for seed in (0, 1)]
    metric.begin(practice.metric_context())
    first, second = (metric.represent(model) for model in models)  # what is only slow once is not counted
    representation = _median(lambda: metric.represent(models[0]))
    noise = tuple((steps, _noise(practice, metric, steps)) for steps in NOISE_STEPS)
    return Cost(task, representation, _median(lambda: metric.distance(first, second)), noise)


def _noise(practice: Practice, metric: Metric[Any], steps: int) -> float:
    """The distance after `steps` from fresh weights, where rounding shows most."""
    import torch

    start = practice.attack_context().honest_twin().checkpoint()
    draws = torch.Generator().manual_seed(0)
    rounded = {
        name: tensor * (1 + ROUNDING * torch.randn(tensor.shape, generator=draws))
        if tensor.is_floating_point()
        else tensor
        for name, tensor in start.items()
    }
    models = [practice.returned(practice.train(steps=steps, start=begun_from)[-1]) for begun_from in (start, rounded)]
    return metric.distance(*(metric.represent(model) for model in models))


def _inspector_cost(task: str, practice: Practice, inspector: Inspector) -> Cost:
    model = practice.returned(practice.train()[-1])
    inspector.begin(practice.metric_context())
    return Cost(task, inspection_seconds=_median(lambda: inspector.inspect(model)))


def _drift_cost(task: str, create: Callable[[], Drift]) -> Cost:
    drift, data = begin_on_practice(create, task)
    *_, (amount, _) = applied(drift, data)
    return Cost(task, drift_seconds=_median(lambda: drift.apply(*data, amount, PARTS[0])) * 1000 / SAMPLES)


def _attack_cost(task: str, practice: Practice, create: Callable[[], Attack]) -> Cost:
    """Trainings with the attack and without it take turns, so that whatever else the machine does meets both."""
    honest: list[float] = []
    attacked: list[float] = []
    for _ in range(REPEATS):
        for ratios, attack in ((honest, None), (attacked, create)):
            short, long = (
                _seconds(lambda: practice.train(attack and attack(), steps=steps))  # noqa: B023 - called at once
                for steps in TIMED_STEPS
            )
            ratios.append(max(long - short, 1e-9))
    return Cost(task, step_ratio=statistics.median(attacked) / statistics.median(honest))


def _median(call: Callable[[], object]) -> float:
    return statistics.median(_seconds(call) for _ in range(REPEATS))


def _seconds(call: Callable[[], object]) -> float:
    since = time.perf_counter()
    call()
    return time.perf_counter() - since
