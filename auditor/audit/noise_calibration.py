"""Measuring the numerical noise of a job once and for all, before its audits."""

from __future__ import annotations

import platform
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from auditor.audit.preparation import prepare
from auditor.audit.selection import Selection
from auditor.job.model import Job
from auditor.job.noise_file import MeasuredNoise, NoiseFile
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import encode

STARTS = (0, 1, 4, 16)
"""The sub-runs that are executed if nobody says which: noise falls fast after fresh weights, and slowly later."""


@dataclass(frozen=True)
class CalibratedStart:
    """One start that was measured: its step, and the noise of each metric there."""

    step: int
    noise: tuple[MeasuredNoise, ...]


class NoiseCalibration:
    """Trains as an honest provider would, and executes sub-runs on the way in several ways.

    Args:
        job: whose noise it is; its seeds must be shared.
        downloads: the folder for datasets.
        initial: the file that training starts from, instead of fresh weights.

    Raises:
        TrainingError, PluginError: the dataset, the model or a metric cannot be had.
    """

    def __init__(self, job: Job, downloads: Path, initial: Path | None = None) -> None:
        self._job = job
        selection = Selection(job, secrets.token_bytes(32))
        self._workspace, self._comparator = prepare(job, selection, downloads, initial=initial)

    def default_starts(self) -> tuple[int, ...]:
        """The steps of the sub-runs that are measured if nobody says which."""
        k, last = self._job.audit.sub_run_steps, self._job.sub_runs - 1
        return tuple(k * index for index in STARTS if index <= last)

    def measure(self, starts: Sequence[int]) -> Iterator[CalibratedStart]:
        """Measure sub-runs that start at these steps, one after another."""
        job, workspace = self._job, self._workspace
        learner = workspace.honest_learner()
        with tempfile.TemporaryDirectory(prefix="auditor-calibrate-") as folder:
            blobs = BlobFolder(Path(folder) / "blobs")
            learner.load(workspace.initial)
            for start in sorted(set(starts)):
                for _ in learner.execute(start):
                    pass
                path = blobs.path(blobs.add(encode(learner.checkpoint(), learner.schema)))
                steps = min(job.audit.sub_run_steps, job.training.steps - start)  # a start need not be a boundary
                yield CalibratedStart(start, self._noise(path, start, steps))

    def file(self, found: Sequence[CalibratedStart]) -> NoiseFile:
        """What a job can name."""
        return NoiseFile(
            format=1,
            key=self._job.noise_key,
            dataset_digest=self._workspace.program.digest,
            machine=f"{platform.machine()}, {platform.system()}, PyTorch {torch.__version__}"[:200],
            noise=tuple(noise for start in found for noise in start.noise),
        )

    def _noise(self, path: Path, start: int, steps: int) -> tuple[MeasuredNoise, ...]:
        tables = {use.name: use.key for use in self._job.metrics}
        return tuple(
            MeasuredNoise(metric=tables[name], start=start, floor=noise.floor, size=noise.size)
            for name, noise in self._comparator.noise(path, steps).items()
            if noise.floor is not None
        )
