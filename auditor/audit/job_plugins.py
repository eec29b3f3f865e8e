"""The plugins that a job names: loaded, made, and tried before the run begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch  # noqa: F401 - plugins import it, and what that takes is not held against them

from auditor.audit.side_thread import OutOfTime, call_within
from auditor.base.hostile_text import cleaned
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse
from auditor.plugins.attack import Attack, AttackContext
from auditor.plugins.catalogue import Catalogue, Origin, PluginError
from auditor.plugins.inspector import Inspector
from auditor.plugins.metric import Metric, fits

Result = TypeVar("Result")


@dataclass(frozen=True)
class LoadedMetric:
    """A metric of a job, and where it comes from."""

    origin: Origin
    metric: Metric[Any]


def check_plugins(job: Job) -> None:
    """Make sure that the job's plugins exist, take their options and fit the task.

    Raises:
        PluginError: says which does not and why.
    """
    load_metrics(job)
    load_attacks(job)
    load_inspectors(job)
    _check_drift(job)


def load_metrics(job: Job) -> Mapping[str, LoadedMetric]:
    """The metrics of a job, by name.

    Raises:
        PluginError: one cannot be had, or does not fit the task.
    """
    plugins = _catalogue(job)
    return {use.name: _load_metric(job, plugins, use) for use in job.metrics}


def load_attacks(job: Job) -> Mapping[str, tuple[Origin, Attack]]:
    """The attacks that providers of a job simulate, by provider.

    Raises:
        PluginError: one cannot be had, or does not fit the task.
    """
    plugins = _catalogue(job)
    return {
        provider.name: _load_attack(job, plugins, provider.name, provider.attack)
        for provider in job.providers
        if provider.attack is not None
    }


def load_inspectors(job: Job) -> Mapping[str, Inspector]:
    """The inspectors that look at the model of each update of an evolving job, by name.

    Raises:
        PluginError: one cannot be had, or does not fit the task.
    """
    plugins, uses = _catalogue(job), () if job.evolution is None else job.evolution.inspectors
    found = {}
    for use in uses:
        origin = plugins.origin("inspectors", use.name)
        found[use.name] = _in_time(job, origin, partial(_make_inspector, plugins, use))
        _check_fit(job, origin, found[use.name].tasks)
    return found


def _make_inspector(plugins: Catalogue, use: PluginUse) -> Inspector:
    return plugins.create("inspectors", use.name, use.options)


def _check_drift(job: Job) -> None:
    """Make sure that a drift of the job's data is there, takes its options and fits the task.

    Every provider makes the data by itself. Those that this machine starts are given the job's files; no other one is.
    """
    drift = getattr(job.task, "drift", None) or (job.evolution.drift if job.evolution is not None else None)
    if drift is None:
        return
    plugins = _catalogue(job)
    origin = plugins.origin("drifts", drift.name)
    made = _in_time(job, origin, lambda: plugins.create("drifts", drift.name, drift.options))
    _check_fit(job, origin, made.tasks)
    elsewhere = [provider for provider in job.providers if not provider.where.ours]
    if origin.file is not None and elsewhere:
        raise PluginError(
            f"{origin} cannot be used by {elsewhere[0].name}, which makes the data itself on a machine that is not "
            "given files of code. Install the drift there and here as a package (`auditor plugins new drift NAME`), or "
            "use local providers alone."
        )


def _check_fit(job: Job, origin: Origin, tasks: frozenset[str], whose: str = "") -> None:
    if not fits(job.task.kind, tasks, job.task.akin):
        raise PluginError(f"{whose}{origin} does not support {job.task.kind} tasks, only {', '.join(sorted(tasks))}.")


def try_attacks(job: Job, context: AttackContext) -> None:
    """Begin every attack once, so that options which do not fit the dataset or the model show before the run.

    Raises:
        PluginError: one cannot begin.
    """
    for provider, (origin, attack) in load_attacks(job).items():
        try:
            call_within(job.audit.metric_seconds, partial(attack.begin, context))
        except Exception as error:  # a plugin may raise anything
            words = f"provider {provider!r}: {origin} cannot be used in this job: {cleaned(error)}"
            raise PluginError(words) from error


def _load_metric(job: Job, plugins: Catalogue, use: PluginUse) -> LoadedMetric:
    origin = plugins.origin("metrics", use.name)
    kind = _in_time(job, origin, lambda: plugins.load("metrics", use.name))
    _check_fit(job, origin, kind.tasks)
    return LoadedMetric(origin, _in_time(job, origin, lambda: plugins.create("metrics", use.name, use.options)))


def _load_attack(job: Job, plugins: Catalogue, provider: str, use: PluginUse) -> tuple[Origin, Attack]:
    origin = plugins.origin("attacks", use.name)
    attack = _in_time(job, origin, lambda: plugins.create("attacks", use.name, use.options))
    whose = f"provider {provider!r}: "
    _check_fit(job, origin, attack.tasks, whose)
    if job.task.hooks is not None and not any(attack.acts_at(hook) for hook in job.task.hooks):
        raise PluginError(
            f"{whose}{origin} acts inside the steps of a training, which a {job.task.kind} task executes by itself. "
            "Choose an attack that skips steps, or changes the command or the checkpoint."
        )
    return origin, attack


def _catalogue(job: Job) -> Catalogue:
    """The plugins that the job can name, of which those in files are loaded."""
    for file in job.plugins:
        _in_time(job, f"plugin file {file.path}", Catalogue((file,)).check_files)
    plugins = Catalogue(job.plugins)
    plugins.check_files()
    return plugins


def _in_time(job: Job, what: object, call: Callable[[], Result]) -> Result:
    """Load or make a plugin; one that takes too long is left behind."""
    try:
        return call_within(job.audit.metric_seconds, call)
    except OutOfTime as error:
        raise PluginError(f"{what} {error} to load (audit.metric_seconds).") from None
