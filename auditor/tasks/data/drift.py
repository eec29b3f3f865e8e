"""Data as it is after a drift."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from auditor.base.hostile_text import cleaned
from auditor.job.drift import Drift
from auditor.job.task import Task
from auditor.plugins.catalogue import INSTALLED, Catalogue, PluginError
from auditor.plugins.drift import Drift as DriftPlugin
from auditor.plugins.drift import DriftContext
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark

SEED = 0
"""All providers draw alike what a drift draws, so that they train on the same data."""


def drifted(dataset: Dataset, drift: Drift, task: Task, plugins: Catalogue = INSTALLED) -> Dataset:
    """The dataset whose training and held-out samples have drifted.

    Images are standardised as those that did not drift, so that a model sees the drift.

    Args:
        dataset: before the drift.
        drift: which, and how far.
        task: whose data it is.
        plugins: where the drift is found.

    Raises:
        TrainingError: the drift is not there, or does not fit the data; says why.
    """
    try:
        plugin = plugins.create("drifts", drift.name, drift.options)
    except PluginError as error:
        raise TrainingError(f"task.drift: {error}") from None
    tokenizer = dataset.tokenizer
    vocabulary = None if tokenizer is None else tokenizer.size
    context = DriftContext(task.kind, dataset.classes, dataset.shape, SEED, vocabulary, task.akin)
    try:
        plugin.begin(context)
        samples, labels = _part(plugin, dataset.samples, dataset.labels, drift.amount, "train")
        held_out, held_out_labels = _part(
            plugin, dataset.held_out_samples, dataset.held_out_labels, drift.amount, "held out"
        )
    except Exception as error:  # a plugin may raise anything
        raise TrainingError(f"task.drift: {drift.name!r} cannot change this data: {cleaned(error)}.") from error
    _check(dataset, drift.name, samples, labels)
    _check(dataset, drift.name, held_out, held_out_labels)
    return replace(
        dataset,
        samples=samples,
        labels=labels,
        held_out_samples=held_out,
        held_out_labels=held_out_labels,
        known_statistics=dataset.statistics if tokenizer is None else None,
        remarks=(
            *dataset.remarks,
            Remark("converted", f"the drift {drift.name} changed all samples by {drift.amount:g}"),
        ),
    )


def _part(plugin: DriftPlugin, samples: Tensor, labels: Tensor, amount: float, part: str) -> tuple[Tensor, Tensor]:
    changed, known = plugin.apply(samples.clone(), labels.clone(), amount, part)
    return changed.contiguous(), known.contiguous()


def _check(dataset: Dataset, name: str, samples: Tensor, labels: Tensor) -> None:
    """Make sure that what a plugin returned is still data of this dataset."""
    fits = (
        samples.dtype == dataset.samples.dtype
        and tuple(samples.shape[1:]) == dataset.shape
        and labels.dtype == torch.int64
        and labels.shape == samples.shape[:1]
        and len(samples) > 0
        and int(labels.min()) >= 0
        and int(labels.max()) < dataset.classes
    )
    if fits and dataset.tokenizer is not None:
        fits = int(samples.min()) >= 0 and int(samples.max()) < dataset.tokenizer.size
    if not fits:
        raise TrainingError(
            f"task.drift: {name!r} returned samples or labels that are not like those that it was given. "
            "`auditor plugins check` shows what is wrong with it."
        )
