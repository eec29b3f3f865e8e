"""What the client computes itself: the initial checkpoint, the checks on returned ones, and the distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from auditor.audit.apart import OutOfTime, call_apart, call_within
from auditor.audit.measuring import Measured, Noise, Rehearsed, measure, measure_noise
from auditor.audit.rehearsals import Rehearsals
from auditor.audit.selection import Selection
from auditor.audit.sketching import sketch
from auditor.base.hostile_text import cleaned
from auditor.base.randomness import key
from auditor.base.seeds import Seeds
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse
from auditor.plugins.attack import Attack, AttackContext
from auditor.plugins.catalogue import Catalogue, Origin, PluginError
from auditor.plugins.metric import Metric, MetricContext, fits
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import encode, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.errors import TrainingError
from auditor.tasks.first_step import try_first_step
from auditor.tasks.initial_state import initial_state
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program, load_program

Result = TypeVar("Result")


class Workspace:
    """Everything that needs the dataset and a model; made once a run.

    Args:
        job: what is audited.
        selection: the run's secret draws, which choose the samples that models are compared on.
        downloads: the folder for datasets.
        accept: sees the data before anything is made of it, and may refuse it.
        initial: the file that training starts from, instead of fresh weights.

    Attributes:
        known: what every checkpoint of the job must hold.

    Raises:
        TrainingError: the dataset, the model or a local provider's device cannot be had, or no step can be trained.
        PluginError: a metric or an attack cannot be had, or does not fit the task.
    """

    def __init__(
        self,
        job: Job,
        selection: Selection,
        downloads: Path,
        accept: Callable[[Program], None] | None = None,
        initial: Path | None = None,
    ) -> None:
        self._metric_seconds = job.audit.metric_seconds
        self._metrics = _load_metrics(job)
        self._given_up: dict[str, str] = {}
        self._sketch_seed = selection.sketch_seed()
        _check_attacks(job)
        _check_devices(job)
        self._program = load_program(job.task, downloads)
        if accept is not None:
            accept(self._program)
        self._job = job
        self._device = device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.training_seed = key(job.seed, "training", 0) % 2**63
        initial_seed = key(job.seed, "initial weights", 0)
        learner = self._learner(initial_seed)
        self.schema = learner.schema
        self.initial = learner.checkpoint() if initial is None else initial_state(initial, learner)
        places = [provider.where for provider in job.providers]
        here = any((place.device or "").startswith(device.type) for place in places)
        self.known = try_first_step(
            self._program, job.training, device=device, seed=initial_seed, whole_batch=here, start=self.initial
        )
        self._evaluator = learner.evaluator
        self._initial_seed = initial_seed
        context = self._program.metric_context(learner.outline(), selection.probe_seed())
        self._rehearsals = (
            Rehearsals(self.honest_learner, self.schema, job.training.precision, job.audit.noise_seconds)
            if job.audit.seeds is Seeds.SHARED
            else None
        )
        self._calibrated = job.audit.noise
        if self._calibrated is not None and self._calibrated.dataset_digest != self._program.digest:
            raise TrainingError(
                "audit.noise: the file was made for other data. Make a new one with `auditor calibrate`."
            )
        self._begin_metrics(context, {use.name for use in job.audit.metrics})
        _try_attacks(job, replace(learner.attack_context, sub_run_steps=job.audit.sub_run_steps, client=context))

    @property
    def dataset_digest(self) -> str:
        """What every provider's copy of the dataset must hash to."""
        return self._program.digest

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters in a checkpoint."""
        return self._evaluator.parameters

    def store_initial(self, blobs: BlobFolder) -> str:
        """Put the checkpoint of step 0 into `blobs`; returns its digest."""
        return blobs.add(encode(self.initial, self.schema))

    def accuracy(self, path: Path) -> float | None:
        """The accuracy of a checkpoint on held-out samples; None where the kind of task has none."""
        self._evaluator.load(read(path, self.schema))
        return self._program.accuracy(self._evaluator)

    async def measure(self, start: Path, returned: Mapping[str, Path], start_step: int, steps: int) -> list[Measured]:
        """All distances among returned models under every metric.

        With shared seeds the client executes the sub-run, too, to learn how far numerics alone drive models apart;
        unless the job names a file that tells.

        A metric that takes longer than the job allows is left behind, and not used for later sub-runs either.
        Cancelling this takes effect at once, whatever a metric does.

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
            start_step: the step of the start.
            steps: how many steps lie between.
        """
        if self._calibrated is not None:
            return [
                await self._measure(name, start, returned, self._calibrated_noise(name, start_step))
                for name in self._metrics
            ]
        rehearsed = await self._rehearse(start, steps)
        return [await self._measure(name, start, returned, rehearsed) for name in self._metrics]

    def noise(self, start: Path, steps: int) -> dict[str, Noise]:
        """What numerics alone may cause in a sub-run, under every metric; the client executes it for that."""
        if self._rehearsals is None:
            return {}
        rehearsed = self._rehearsals.of(start, steps, self._evaluator)
        return {name: measure_noise(metric, rehearsed) for name, (_, metric) in self._metrics.items()}

    def honest_learner(self) -> Learner:
        """What trains as an honest provider does with the client's seeds."""
        return self._learner(self.training_seed)

    def _learner(self, seed: int) -> Learner:
        return self._program.learner(self._job.training, device=self._device, seed=seed)

    def _calibrated_noise(self, name: str, start_step: int) -> Noise:
        use = next(use for use in self._job.metrics if use.name == name)
        known = self._calibrated and self._calibrated.at(use.key, start_step)
        if not known:
            return Noise(source="the file that audit.noise names lacks this metric with these options")
        return Noise(known.floor, known.size, f"measured by `auditor calibrate` from step {known.start}")

    async def _rehearse(self, start: Path, steps: int) -> Rehearsed | Noise:
        """The client's own executions; where it can have none, why noise is not known."""
        rehearsals = self._rehearsals
        if rehearsals is None:
            return Noise()
        try:
            return await call_apart(lambda: rehearsals.of(start, steps, self._evaluator))
        except Exception as error:  # whatever a model or the machine raises
            reason = cleaned(f"{type(error).__name__}: {error}")
            return Noise(source=f"the client could not execute the sub-run itself: {reason}")

    async def sketch(self, start: Path, returned: Mapping[str, Path]) -> dict[str, Any]:
        """The sketch of each returned model (`sketching`), float64 [projections].

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
        """
        models = {
            provider: CheckpointModel(path, start, self.schema, self._evaluator) for provider, path in returned.items()
        }
        return dict(await call_apart(partial(sketch, models, self._sketch_seed)))

    async def _measure(
        self, name: str, start: Path, returned: Mapping[str, Path], rehearsed: Rehearsed | Noise
    ) -> Measured:
        origin, metric = self._metrics[name]
        if name in self._given_up:
            return Measured(name, failure=self._given_up[name])
        models = {
            provider: CheckpointModel(path, start, self.schema, self._evaluator) for provider, path in returned.items()
        }

        def compute() -> Measured:
            noise = measure_noise(metric, rehearsed) if isinstance(rehearsed, Rehearsed) else rehearsed
            return measure(name, metric, models, noise)

        try:
            measured = await call_apart(compute, self._metric_seconds)
        except OutOfTime as error:
            # Its thread may go on loading weights into the evaluator that it was given.
            self._evaluator = self._learner(self._initial_seed).evaluator
            self._given_up[name] = f"it {error} in an earlier sub-run and is no longer used ({origin.place})"
            return Measured(name, failure=f"it {error} ({origin.place})")
        except Exception as error:  # a plugin may raise anything
            return Measured(name, failure=f"{cleaned(f'{type(error).__name__}: {error}')} ({origin.place})")
        return measured.blaming(origin.place)

    def _begin_metrics(self, context: MetricContext, named: Set[str]) -> None:
        """Begin every metric; those that the job does not name are left out where they have nothing to compare."""
        for name, (origin, metric) in list(self._metrics.items()):
            try:
                call_within(self._metric_seconds, partial(metric.begin, context))
            except ValueError as error:
                if name in named:
                    raise PluginError(f"{origin} cannot be used for this job: {cleaned(error)}") from error
                del self._metrics[name]
            except Exception as error:  # a plugin may raise anything
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
    return {use.name: _load_metric(job, plugins, use) for use in job.metrics}


def _load_metric(job: Job, plugins: Catalogue, use: PluginUse) -> tuple[Origin, Metric[Any]]:
    origin = plugins.origin("metrics", use.name)
    kind = _in_time(job, origin, lambda: plugins.load("metrics", use.name))
    if not fits(job.task.kind, kind.tasks):
        raise PluginError(f"{origin} does not support {job.task.kind} tasks, only {', '.join(sorted(kind.tasks))}.")
    return origin, _in_time(job, origin, lambda: plugins.create("metrics", use.name, use.options))


def _check_attacks(job: Job) -> None:
    plugins = _loaded_files(job)
    for provider in job.providers:
        if provider.attack is not None:
            _made_attack(job, plugins, provider.name, provider.attack)


def _made_attack(job: Job, plugins: Catalogue, provider: str, use: PluginUse) -> tuple[Origin, Attack]:
    origin = plugins.origin("attacks", use.name)
    attack = _in_time(job, origin, lambda: plugins.create("attacks", use.name, use.options))
    if not fits(job.task.kind, attack.tasks):
        raise PluginError(
            f"provider {provider!r}: {origin} does not support {job.task.kind} tasks, "
            f"only {', '.join(sorted(attack.tasks))}."
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
                f"provider {provider.name!r}: {origin} cannot be used in this job: {cleaned(error)}"
            ) from error


def _loaded_files(job: Job) -> Catalogue:
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


def _check_devices(job: Job) -> None:
    """Make sure that the GPUs of local providers exist; asking for one does not start CUDA."""
    for provider in job.providers:
        wanted = provider.where.device or ""
        if wanted.startswith("cuda:"):
            count = torch.cuda.device_count()
            if int(wanted.removeprefix("cuda:")) >= count:
                there = f"cuda:0 to cuda:{count - 1}" if count > 1 else "only cuda:0" if count else "no GPU"
                raise TrainingError(
                    f"provider {provider.name!r}: this machine has no {wanted}; it has {there}. "
                    "Use a device that exists, or local:cpu."
                )
