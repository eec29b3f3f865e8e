"""The metrics of a job at work: the distances among returned models, and the noise that they are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auditor.audit.job_plugins import LoadedMetric
from auditor.audit.measurement import Measurement, Noise, Rehearsed, measure, measure_noise
from auditor.audit.rehearsals import Rehearsals
from auditor.audit.selection import Selection
from auditor.audit.side_thread import OutOfTime, call_in_side_thread, call_within
from auditor.audit.sketch import sketch
from auditor.audit.workspace import Workspace
from auditor.base.hostile_text import cleaned
from auditor.base.seeds import Seeds
from auditor.job.model import Job
from auditor.plugins.catalogue import PluginError
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.errors import TrainingError


class Comparator:
    """Measures distances, one comparison at a time.

    Args:
        job: what is audited.
        workspace: the job's program on this machine.
        metrics: of the job, not begun yet.
        selection: the run's secret draws, which choose the samples that models are compared on.

    Attributes:
        context: what the metrics began with.

    Raises:
        PluginError: a metric does not fit the job.
        TrainingError: the job's noise file was made for other data.
    """

    def __init__(
        self, job: Job, workspace: Workspace, metrics: Mapping[str, LoadedMetric], selection: Selection
    ) -> None:
        self._job = job
        self._workspace = workspace
        self._sketch_seed = selection.sketch_seed()
        self._evaluator = workspace.evaluator()
        self._rehearsals = (
            Rehearsals(workspace.honest_learner, workspace.schema, job.training.precision, job.audit.noise_seconds)
            if job.audit.seeds is Seeds.SHARED
            else None
        )
        self._calibrated = job.audit.noise
        if self._calibrated is not None and self._calibrated.dataset_digest != workspace.program.digest:
            raise TrainingError(
                "audit.noise: the file was made for other data. Make a new one with `auditor calibrate`."
            )
        self.context = workspace.program.metric_context(workspace.outline, selection.probe_seed())
        named = {use.name for use in job.audit.metrics}
        self._metrics = {
            name: loaded for name, loaded in metrics.items() if self._begins(loaded, optional=name not in named)
        }

    async def measure(
        self,
        start: Path,
        returned: Mapping[str, Path],
        start_step: int,
        steps: int,
        given_up: Mapping[str, str] | None = None,
    ) -> list[Measurement]:
        """All distances among returned models under every metric.

        With shared seeds the client also executes the sub-run, to learn how far numerics alone drive models apart. A
        job that names a noise file saves it that. A metric that takes longer than the job allows is left behind.
        Cancelling this takes effect at once, whatever a metric does.

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
            start_step: the step of the start.
            steps: the length of the sub-run.
            given_up: the metrics that took too long before, each with what was said of it then.
        """
        rehearsed = None if self._calibrated is not None else await self._rehearse(start, steps)
        measurements = []
        for name in self._metrics:
            if (reason := (given_up or {}).get(name)) is not None:
                words = f"it is no longer used, because in an earlier sub-run {reason}"
                measurements.append(Measurement(name, failure=words))
                continue
            noise = rehearsed or self._calibrated_noise(name, start_step)
            measurements.append(await self._measure(name, start, returned, noise))
        return measurements

    def noise(self, start: Path, steps: int, elsewhere: Sequence[Path] = ()) -> dict[str, Noise]:
        """What numerics alone may cause in a sub-run, under every metric; the client executes it for that.

        Args:
            start: the checkpoint that the sub-run starts from.
            steps: its length.
            elsewhere: its ends, as machines that the client trusts executed it.
        """
        if self._rehearsals is None:
            return {}
        rehearsed = self._rehearsals.of(start, steps, self._evaluator)
        seen = self._models(start, {path.name: path for path in elsewhere})
        rehearsed = replace(rehearsed, elsewhere=tuple(seen.values()))
        return {name: measure_noise(loaded.metric, rehearsed) for name, loaded in self._metrics.items()}

    async def sketch(self, start: Path, returned: Mapping[str, Path]) -> dict[str, NDArray[np.float64]]:
        """The sketch of each returned model (see `audit.sketch`), float64 [projections].

        Args:
            start: the checkpoint that the sub-run started from.
            returned: the returned checkpoint of each provider.
        """
        return await call_in_side_thread(partial(sketch, self._models(start, returned), self._sketch_seed))

    def _begins(self, loaded: LoadedMetric, *, optional: bool) -> bool:
        """Begin a metric; whether it has something to compare, which only an optional one may lack."""
        try:
            call_within(self._job.audit.metric_seconds, partial(loaded.metric.begin, self.context))
        except Exception as error:  # a plugin may raise anything
            if optional and isinstance(error, ValueError):
                return False
            raise PluginError(f"{loaded.origin} cannot be used for this job: {cleaned(error)}") from error
        return True

    def _models(self, start: Path, returned: Mapping[str, Path]) -> dict[str, CheckpointModel]:
        schema = self._workspace.schema
        return {provider: CheckpointModel(path, start, schema, self._evaluator) for provider, path in returned.items()}

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
            return await call_in_side_thread(lambda: rehearsals.of(start, steps, self._evaluator))
        except Exception as error:  # whatever a model or the machine raises
            reason = cleaned(f"{type(error).__name__}: {error}")
            return Noise(source=f"the client could not execute the sub-run itself: {reason}")

    async def _measure(
        self, name: str, start: Path, returned: Mapping[str, Path], rehearsed: Rehearsed | Noise
    ) -> Measurement:
        loaded = self._metrics[name]
        place = loaded.origin.place
        models = self._models(start, returned)

        def compute() -> Measurement:
            noise = measure_noise(loaded.metric, rehearsed) if isinstance(rehearsed, Rehearsed) else rehearsed
            return measure(name, loaded.metric, models, noise)

        try:
            measurement = await call_in_side_thread(compute, self._job.audit.metric_seconds)
        except OutOfTime as error:
            # Its thread may go on loading weights into the evaluator that it was given.
            self._evaluator = self._workspace.evaluator()
            return Measurement(name, failure=f"it {error} ({place})", given_up=True)
        except Exception as error:  # a plugin may raise anything
            return Measurement(name, failure=f"{cleaned(f'{type(error).__name__}: {error}')} ({place})")
        return measurement.blaming(place)
