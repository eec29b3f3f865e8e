"""Measuring the numerical noise of a job once and for all, before its audits."""

from __future__ import annotations

import platform
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from auditor.audit.preparation import prepare
from auditor.audit.selection import Selection
from auditor.audit.trusted_machines import Executed, TrustedMachines
from auditor.job.model import Job
from auditor.job.noise_file import MeasuredNoise, NoiseFile
from auditor.job.provider import Provider
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
        trusted: machines that execute the sub-runs, too; theirs is the noise that the client's own ways may not show.

    Raises:
        TrainingError, PluginError: the dataset, the model or a metric cannot be had.
    """

    def __init__(
        self, job: Job, downloads: Path, initial: Path | None = None, trusted: Sequence[Provider] = ()
    ) -> None:
        self._job = job
        self._downloads = downloads
        self._trusted = tuple(trusted)
        self._machines: dict[str, str] = {}
        selection = Selection(job, secrets.token_bytes(32))
        self._workspace, self._comparator = prepare(job, selection, downloads, initial=initial)

    def default_starts(self) -> tuple[int, ...]:
        """The steps of the sub-runs that are measured if nobody says which."""
        k, last = self._job.audit.sub_run_steps, self._job.sub_runs - 1
        return tuple(k * index for index in STARTS if index <= last)

    def measure(self, starts: Sequence[int]) -> Iterator[CalibratedStart]:
        """Measure sub-runs that start at these steps, one after another.

        Raises:
            TrainingError: a trusted machine cannot be used; says which and why.
        """
        with tempfile.TemporaryDirectory(prefix="auditor-calibrate-") as name:
            folder = Path(name)
            blobs = BlobFolder(folder / "blobs")
            known: dict[int, tuple[Path, int]] = {}
            if self._trusted:
                known = dict(self._starts(starts, blobs))
            executed = self._elsewhere(known, folder, blobs)
            for start, (path, steps) in known.items() or self._starts(starts, blobs):
                elsewhere = [one.model for one in executed.get(start, ())]
                yield CalibratedStart(start, self._noise(path, start, steps, elsewhere))

    def _starts(self, starts: Sequence[int], blobs: BlobFolder) -> Iterator[tuple[int, tuple[Path, int]]]:
        """Train up to each step; the checkpoint there, and the length of the sub-run that it starts."""
        job, workspace = self._job, self._workspace
        learner = workspace.honest_learner()
        learner.load(workspace.initial)
        for start in sorted(set(starts)):
            for _ in learner.execute(start):
                pass
            path = blobs.path(blobs.add(encode(learner.checkpoint(), learner.schema)))
            steps = min(job.audit.sub_run_steps, job.training.steps - start)  # a start need not be a boundary
            yield start, (path, steps)

    def _elsewhere(
        self, known: Mapping[int, tuple[Path, int]], folder: Path, blobs: BlobFolder
    ) -> Mapping[int, Sequence[Executed]]:
        if not self._trusted:
            return {}
        machines = TrustedMachines(self._job, self._trusted, self._workspace, folder, self._downloads)
        found = machines.execute(known, blobs)
        self._machines = machines.described
        return found

    def file(self, found: Sequence[CalibratedStart]) -> NoiseFile:
        """What a job can name."""
        own = f"{platform.machine()}, {platform.system()}, PyTorch {torch.__version__}"
        return NoiseFile(
            format=1,
            key=self._job.noise_key,
            dataset_digest=self._workspace.program.digest,
            machine="; ".join([own, *(f"{name}: {words}" for name, words in self._machines.items())])[:200],
            noise=tuple(noise for start in found for noise in start.noise),
        )

    def _noise(self, path: Path, start: int, steps: int, elsewhere: Sequence[Path]) -> tuple[MeasuredNoise, ...]:
        tables = {use.name: use.key for use in self._job.metrics}
        return tuple(
            MeasuredNoise(metric=tables[name], start=start, floor=noise.floor, size=noise.size)
            for name, noise in self._comparator.noise(path, steps, elsewhere).items()
            if noise.floor is not None
        )
