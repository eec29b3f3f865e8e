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
from auditor.plugins.metric import Metric, fits

Result = TypeVar("Result")


@dataclass(frozen=True)
class LoadedMetric:
    """A metric of a job, and where it comes from."""

    origin: Origin
    metric: Metric[Any]


def check_plugins(job: Job) -> None:
    """Make sure that the job's metrics and attacks exist, take their options and fit the task.

    Raises:
        PluginError: says which does not and why.
    """
    load_metrics(job)
    load_attacks(job)


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
    if not fits(job.task.kind, kind.tasks):
        raise PluginError(f"{origin} does not support {job.task.kind} tasks, only {', '.join(sorted(kind.tasks))}.")
    return LoadedMetric(origin, _in_time(job, origin, lambda: plugins.create("metrics", use.name, use.options)))


def _load_attack(job: Job, plugins: Catalogue, provider: str, use: PluginUse) -> tuple[Origin, Attack]:
    origin = plugins.origin("attacks", use.name)
    attack = _in_time(job, origin, lambda: plugins.create("attacks", use.name, use.options))
    if not fits(job.task.kind, attack.tasks):
        raise PluginError(
            f"provider {provider!r}: {origin} does not support {job.task.kind} tasks, "
            f"only {', '.join(sorted(attack.tasks))}."
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
