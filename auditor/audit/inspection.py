"""Looking at one model by itself: inspectors on any checkpoint of a job, without a run."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from auditor.audit.record.update_events import InspectedModel
from auditor.base.hostile_text import cleaned
from auditor.base.randomness import key
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse
from auditor.plugins.catalogue import Catalogue, Origin, PluginError
from auditor.plugins.inspector import Inspection, Inspector
from auditor.plugins.metric import MetricContext, fits
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.errors import TrainingError
from auditor.tasks.initial_state import initial_state
from auditor.tasks.program import load_program

LARGEST_PICTURE = 3 << 20
"""In numbers."""

Watcher = Callable[[int, float], None]
"""Told which inspector is at work, counted from 0, and how far it is, from 0 to 1."""


@dataclass(frozen=True)
class Finding:
    """What one inspector found, or why it found nothing.

    Attributes:
        use: the inspector, as it was asked for.
        inspection: what it found; None where nothing can be said of the model.
        failure: why nothing can be said; empty otherwise.
    """

    use: PluginUse
    inspection: Inspection | None
    failure: str = ""

    @property
    def suspicious(self) -> bool:
        """Whether the inspector suspects the model."""
        return self.inspection is not None and self.inspection.suspicious


def inspect_model(
    job: Job,
    checkpoint: Path,
    uses: Sequence[PluginUse],
    *,
    downloads: Path,
    device: str | None = None,
    seed: int | None = None,
    watch: Watcher | None = None,
) -> Iterator[Finding]:
    """Have inspectors look at a model, one after another.

    Everything that can be refused is refused before the first finding.

    Args:
        job: says what the model is, what it was trained on, and which plugin files there are.
        checkpoint: a checkpoint of the job, or a safetensors file with the parameters and buffers of its model.
        uses: inspectors with their options.
        downloads: the folder for datasets.
        device: to compute on; a GPU if there is one, else the CPU.
        seed: of what inspectors draw; from the job's seed if none is given.
        watch: is told how far inspectors are that say so.

    Raises:
        PluginError: an inspector is unknown, does not take its options, or cannot serve the job.
        TrainingError: the data cannot be had, or the checkpoint cannot be read, is of another model, or holds numbers
            that are not finite.
    """
    plugins = Catalogue(job.plugins)
    plugins.check_files()
    inspectors = [(plugins.origin("inspectors", use.name), _made(plugins, job, use)) for use in uses]
    program = load_program(job.task, downloads, plugins).shaped_as(checkpoint)
    learner = program.learner(job.training, device=_device(device), seed=0)
    state = initial_state(checkpoint, learner, source="")
    drawn = key(job.seed, "inspection", 0) if seed is None else seed
    context = program.metric_context(learner.outline(), drawn)
    for origin, inspector in inspectors:
        _begin(origin, inspector, context)
    with tempfile.TemporaryDirectory(prefix="auditor-inspect-") as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(b"".join(bytes(piece) for piece in encode(state, learner.schema)))
        # Without a sub-run there is no start; a model that has not moved from it says so.
        model = CheckpointModel(path, path, learner.schema, learner.evaluator)
        for number, (use, (_, inspector)) in enumerate(zip(uses, inspectors, strict=True)):
            with _watched(inspector, number, watch):
                yield _found(use, inspector, model)


def recorded_finding(finding: Finding) -> InspectedModel:
    """What an inspector found, as events keep it."""
    found = finding.inspection
    if found is None:
        return InspectedModel(finding.use.name, None, None, False, finding.failure)
    return InspectedModel(finding.use.name, found.score, found.threshold, found.suspicious)


def _made(plugins: Catalogue, job: Job, use: PluginUse) -> Inspector:
    made = plugins.create("inspectors", use.name, use.options)
    if not fits(job.task.kind, made.tasks, job.task.akin):
        origin, known = plugins.origin("inspectors", use.name), ", ".join(sorted(made.tasks))
        raise PluginError(f"{origin} does not support {job.task.kind} tasks, only {known}.")
    return made


def _begin(origin: Origin, inspector: Inspector, context: MetricContext) -> None:
    try:
        inspector.begin(context)
    except Exception as error:  # a plugin may raise anything
        raise PluginError(f"{origin} cannot be used in this job: {cleaned(error)}") from error


@contextmanager
def _watched(inspector: Inspector, number: int, watch: Watcher | None) -> Iterator[None]:
    if watch is None:
        yield
        return
    watch(number, 0.0)
    inspector.progress = lambda share: watch(number, min(max(share, 0.0), 1.0))
    yield
    watch(number, 1.0)


def _found(use: PluginUse, inspector: Inspector, model: CheckpointModel) -> Finding:
    try:
        found = inspector.inspect(model)
    except ValueError as error:
        return Finding(use, None, cleaned(error))
    except Exception as error:  # a plugin may raise anything
        return Finding(use, None, cleaned(f"{type(error).__name__}: {error}"))
    fault = _fault(found)
    return Finding(use, None, fault) if fault else Finding(use, found)


def _fault(found: Inspection) -> str:
    """What is wrong with an answer, in words; an inspector may be a stranger's."""
    if not isinstance(found, Inspection):
        return f"it gave a {type(found).__name__}, not an Inspection"
    try:
        if not (math.isfinite(found.score) and math.isfinite(found.threshold)):
            return "it gave a score that is not finite"
        json.dumps(found.payload, allow_nan=False)
    except (TypeError, ValueError) as error:
        return cleaned(f"it gave what cannot be kept: {error}")
    for name, picture in found.pictures.items():
        fits = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3
        if not (fits and picture.shape[2] == 3 and 0 < picture.size <= LARGEST_PICTURE):
            return f"it gave a picture {cleaned(name, 60)!r} that is no small uint8 [H, W, 3]"
    return ""


def _device(asked: str | None) -> torch.device:
    if asked is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, ValueError):
        raise TrainingError(f"--device {asked}: there is no such device here; use cpu, or cuda:N.") from None
    return device
