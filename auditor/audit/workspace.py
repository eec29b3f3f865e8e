"""What the client computes itself: the initial checkpoint, the checks on returned ones, and the distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from auditor.audit.apart import OutOfTime, call_apart, call_within
from auditor.audit.measuring import Measured, measure
from auditor.audit.selection import Selection
from auditor.audit.sketching import sketch
from auditor.job.endpoint import LocalEndpoint
from auditor.job.model import Job, PluginUse
from auditor.plugins.attack import Attack, AttackContext
from auditor.plugins.discovery import Catalogue, Origin, PluginError
from auditor.plugins.metric import Metric, MetricContext
from auditor.plugins.randomness import key
from auditor.providers.hostile_text import cleaned
from auditor.store.blobs import BlobFolder
from auditor.training.checkpoint import all_finite, encode, read
from auditor.training.data import load_dataset
from auditor.training.errors import TrainingError
from auditor.training.evaluation import clean_accuracy
from auditor.training.network import Network
from auditor.training.outline import outline
from auditor.training.probing_samples import metric_context
from auditor.training.returned import CheckpointModel
from auditor.training.trainer import Trainer

Result = TypeVar("Result")


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
        self._metric_seconds = job.audit.metric_seconds
        self._metrics = _load_metrics(job)
        self._given_up: dict[str, str] = {}
        self._sketch_seed = selection.sketch_seed()
        _check_attacks(job)
        _check_devices(job)
        self._dataset = load_dataset(job.task, downloads)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.training_seed = key(job.seed, "training", 0) % 2**63
        initial_seed = key(job.seed, "initial weights", 0)
        trainer = Trainer(job.task, job.training, self._dataset, device=device, seed=initial_seed)
        self.schema = trainer.schema
        self._initial = trainer.checkpoint()
        self._network = trainer.network
        self._fresh_network = partial(Network, job.task, self._dataset, device, initial_seed)
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

    async def measure(self, start: Path, returned: Mapping[str, Path], start_step: int, steps: int) -> list[Measured]:
        """All distances among returned models under every metric.

        A metric that takes longer than the job allows is left behind, and not used for later sub-runs either.
        Cancelling this takes effect at once, whatever a metric does.

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
            start_step: the step of that checkpoint.
            steps: how many steps lie between.
        """
        return [await self._measure(name, start, returned, start_step, steps) for name in self._metrics]

    async def sketch(self, start: Path, returned: Mapping[str, Path]) -> dict[str, Any]:
        """The sketch of each returned model (`sketching`), float64 [projections].

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
        """
        models = {
            provider: CheckpointModel(path, start, self.schema, self._network) for provider, path in returned.items()
        }
        return dict(await call_apart(partial(sketch, models, self._sketch_seed)))

    async def _measure(
        self, name: str, start: Path, returned: Mapping[str, Path], start_step: int, steps: int
    ) -> Measured:
        origin, metric = self._metrics[name]
        if name in self._given_up:
            return Measured(name, failure=self._given_up[name])
        models = {
            provider: CheckpointModel(path, start, self.schema, self._network) for provider, path in returned.items()
        }

        def compute() -> Measured:
            floor = metric.noise.at(start_step, steps) if metric.noise is not None else None
            return measure(name, metric, models, floor)

        try:
            measured = await call_apart(compute, self._metric_seconds)
        except OutOfTime as error:
            # Its thread may go on loading weights into the network that it was given.
            self._network = self._fresh_network()
            self._given_up[name] = f"it {error} in an earlier sub-run and is not used any more ({origin.place})"
            return Measured(name, failure=f"it {error} ({origin.place})")
        except Exception as error:  # a plugin may raise anything
            return Measured(name, failure=f"{cleaned(f'{type(error).__name__}: {error}')} ({origin.place})")
        return measured.blaming(origin.place)

    def _begin_metrics(self, context: MetricContext) -> None:
        for origin, metric in self._metrics.values():
            try:
                call_within(self._metric_seconds, partial(metric.begin, context))
            except Exception as error:  # likewise
                raise PluginError(f"{origin} cannot be used for this job: {cleaned(error)}") from error


def check_plugins(job: Job) -> None:
    """Make sure that the job's metrics and attacks exist, take their options and fit the task.

    Raises:
        PluginError: says which does not and why.
    """
    _load_metrics(job)
    _check_attacks(job)


def _load_metrics(job: Job) -> dict[str, tuple[Origin, Metric[Any]]]:
    plugins = _loaded_files(job)
    return {use.name: _load_metric(job, plugins, use) for use in job.audit.metrics}


def _load_metric(job: Job, plugins: Catalogue, use: PluginUse) -> tuple[Origin, Metric[Any]]:
    origin = plugins.origin("metrics", use.name)
    kind = _in_time(job, origin, lambda: plugins.load("metrics", use.name))
    if job.task.kind not in kind.tasks:
        raise PluginError(
            f"{origin} is not defined for {job.task.kind} tasks, only for {', '.join(sorted(kind.tasks))}."
        )
    return origin, _in_time(job, origin, lambda: plugins.create("metrics", use.name, use.options))


def _check_attacks(job: Job) -> None:
    plugins = _loaded_files(job)
    for provider in job.providers:
        if provider.attack is not None:
            _made_attack(job, plugins, provider.name, provider.attack)


def _made_attack(job: Job, plugins: Catalogue, provider: str, use: PluginUse) -> tuple[Origin, Attack]:
    origin = plugins.origin("attacks", use.name)
    attack = _in_time(job, origin, lambda: plugins.create("attacks", use.name, use.options))
    if job.task.kind not in attack.tasks:
        raise PluginError(
            f"provider {provider!r}: {origin} is not defined for {job.task.kind} tasks, "
            f"only for {', '.join(sorted(attack.tasks))}."
        )
    return origin, attack


def _try_attacks(job: Job, context: AttackContext) -> None:
    """Begin every attack once, so that options which do not fit the dataset or the model show before the run."""
    plugins = _loaded_files(job)
    for provider in job.providers:
        if provider.attack is None:
            continue
        origin, attack = _made_attack(job, plugins, provider.name, provider.attack)
        try:
            call_within(job.audit.metric_seconds, partial(attack.begin, context))
        except Exception as error:  # a plugin may raise anything
            raise PluginError(
                f"provider {provider.name!r}: {origin} cannot be carried out in this job: {cleaned(error)}"
            ) from error


def _loaded_files(job: Job) -> Catalogue:
    """The plugins that the job can name, of which those in files are loaded."""
    for file in job.plugins:
        _in_time(job, f"plugin file {file.path}", Catalogue((file,)).check_files)
    plugins = Catalogue(job.plugins)
    plugins.check_files()
    return plugins


def _in_time(job: Job, what: object, call: Callable[[], Result]) -> Result:
    """Load or make a plugin; one that takes for ever is left behind."""
    try:
        return call_within(job.audit.metric_seconds, call)
    except OutOfTime as error:
        raise PluginError(f"{what} {error} to load (audit.metric_seconds).") from None


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
