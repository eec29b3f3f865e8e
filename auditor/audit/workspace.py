"""What the client computes itself: the initial checkpoint, the checks on returned ones, and the distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from auditor.audit.measuring import Measured, measure
from auditor.audit.selection import Selection
from auditor.job.endpoint import LocalEndpoint
from auditor.job.model import Job
from auditor.plugins.attack import AttackContext
from auditor.plugins.discovery import PluginError, create_plugin, load_plugin
from auditor.plugins.metric import Metric, MetricContext
from auditor.plugins.randomness import key
from auditor.providers.hostile_text import cleaned
from auditor.store.blobs import BlobFolder
from auditor.training.checkpoint import all_finite, encode, read
from auditor.training.data import load_dataset
from auditor.training.errors import TrainingError
from auditor.training.evaluation import clean_accuracy
from auditor.training.outline import outline
from auditor.training.probing_samples import metric_context
from auditor.training.returned import CheckpointModel
from auditor.training.trainer import Trainer


class Workspace:
    """Everything that needs the dataset and a model; made once a run.

    Args:
        job: what is audited.
        selection: the run's secret draws, which choose the samples that models are compared on.
        downloads: the folder for datasets.

    Raises:
        TrainingError: the dataset, the model or a local provider's device cannot be had.
        PluginError: a metric or an attack cannot be had, or does not fit the task.
    """

    def __init__(self, job: Job, selection: Selection, downloads: Path) -> None:
        self._metrics = _load_metrics(job)
        _check_attacks(job)
        _check_devices(job)
        self._dataset = load_dataset(job.task.dataset, downloads)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.training_seed = key(job.seed, "training", 0) % 2**63
        trainer = Trainer(
            job.task, job.training, self._dataset, device=device, seed=key(job.seed, "initial weights", 0)
        )
        self.schema = trainer.schema
        self._initial = trainer.checkpoint()
        self._network = trainer.network
        context = metric_context(job.task.kind, self._dataset, outline(trainer), selection.probe_seed())
        self._begin_metrics(context)
        _try_attacks(job, replace(trainer.attack_context, sub_run_steps=job.audit.sub_run_steps, client=context))

    @property
    def dataset_digest(self) -> str:
        """What every provider's copy of the dataset must hash to."""
        return self._dataset.digest

    def store_initial(self, blobs: BlobFolder) -> str:
        """Put the checkpoint of step 0 into `blobs`; returns its digest."""
        return blobs.add(encode(self._initial, self.schema))

    def check(self, path: Path) -> bool:
        """Whether a checkpoint holds finite numbers only.

        Raises:
            CheckpointError: it does not follow the job's schema.
        """
        return all_finite(read(path, self.schema))

    def accuracy(self, path: Path) -> float:
        """The accuracy of a checkpoint on held-out samples."""
        self._network.load(read(path, self.schema))
        return clean_accuracy(self._network, self._dataset)

    def measure(self, start: Path, returned: Mapping[str, Path], start_step: int, steps: int) -> list[Measured]:
        """All distances among returned models under every metric.

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
            start_step: the step of that checkpoint.
            steps: how many steps lie between.
        """
        models = {
            provider: CheckpointModel(path, start, self.schema, self._network) for provider, path in returned.items()
        }
        measured = []
        for name, metric in self._metrics.items():
            floor = metric.noise.at(start_step, steps) if metric.noise is not None else None
            measured.append(measure(name, metric, models, floor))
        return measured

    def _begin_metrics(self, context: MetricContext) -> None:
        for name, metric in self._metrics.items():
            try:
                metric.begin(context)
            except Exception as error:  # a plugin may raise anything
                raise PluginError(f"metric {name!r} cannot be used for this job: {cleaned(error)}") from error


def check_plugins(job: Job) -> None:
    """Make sure that the job's metrics and attacks exist, take their options and fit the task.

    Raises:
        PluginError: says which does not and why.
    """
    _load_metrics(job)
    _check_attacks(job)


def _load_metrics(job: Job) -> dict[str, Metric[Any]]:
    metrics = {}
    for use in job.audit.metrics:
        kind = load_plugin("metrics", use.name)
        if job.task.kind not in kind.tasks:
            raise PluginError(
                f"metric {use.name!r} is not defined for {job.task.kind} tasks, "
                f"only for {', '.join(sorted(kind.tasks))}."
            )
        metrics[use.name] = create_plugin("metrics", use.name, use.options)
    return metrics


def _check_attacks(job: Job) -> None:
    for provider in job.providers:
        if provider.attack is None:
            continue
        attack = create_plugin("attacks", provider.attack.name, provider.attack.options)
        if job.task.kind not in attack.tasks:
            raise PluginError(
                f"provider {provider.name!r}: attack {provider.attack.name!r} is not defined for {job.task.kind} "
                f"tasks, only for {', '.join(sorted(attack.tasks))}."
            )


def _try_attacks(job: Job, context: AttackContext) -> None:
    """Begin every attack once, so that options which do not fit the dataset or the model show before the run."""
    for provider in job.providers:
        if provider.attack is None:
            continue
        attack = create_plugin("attacks", provider.attack.name, provider.attack.options)
        try:
            attack.begin(context)
        except Exception as error:  # a plugin may raise anything
            raise PluginError(
                f"provider {provider.name!r}: attack {provider.attack.name!r} cannot be carried out in this job: "
                f"{cleaned(error)}"
            ) from error


def _check_devices(job: Job) -> None:
    """Make sure that the GPUs of local providers exist; asking for one does not start CUDA."""
    for provider in job.providers:
        where = provider.where
        if isinstance(where, LocalEndpoint) and where.device.startswith("cuda:"):
            count = torch.cuda.device_count()
            if int(where.device.removeprefix("cuda:")) >= count:
                there = f"cuda:0 to cuda:{count - 1}" if count > 1 else "cuda:0" if count else "none"
                raise TrainingError(
                    f"provider {provider.name!r}: this machine has no {where.device}; there is {there}. "
                    "Use one that there is, or local:cpu."
                )
