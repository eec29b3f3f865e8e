"""What the model of an update can do: its accuracy on drifted samples, and what the job's attacks achieve on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from auditor.audit.inspection import inspect_model, recorded_finding
from auditor.audit.model_quality import ModelQuality
from auditor.audit.record.update_events import UpdateMeasured
from auditor.job.model import Job


@dataclass(frozen=True)
class MeasuredModels:
    """What is measured of an update.

    Attributes:
        update: its number.
        delivered: the checkpoint that it delivered.
        first: the one that update 0 delivered.
    """

    update: int
    delivered: Path
    first: Path


def measure_update(chain: Job, job: Job, models: MeasuredModels, downloads: Path) -> UpdateMeasured:
    """Measure the model of an update on held-out samples that have drifted as its data has.

    Args:
        chain: the evolving job, whose attacks are all measured, whether or not they acted in this update.
        job: that of the update.
        models: whose.
        downloads: the folder for datasets.

    Raises:
        TrainingError: the data or a model cannot be had.
        PluginError: an attack cannot be had.
    """
    quality = ModelQuality(job, downloads)
    unchanged = quality.accuracy(models.first)
    accuracy = unchanged if models.first == models.delivered else quality.accuracy(models.delivered)
    acted = frozenset(provider.name for provider in job.providers if provider.attack is not None)
    attacks = tuple(quality.attacks(models.delivered, chain, acted))
    uses = () if chain.evolution is None else chain.evolution.inspectors
    findings = inspect_model(job, models.delivered, uses, downloads=downloads) if uses else ()
    return UpdateMeasured(models.update, accuracy, unchanged, attacks, tuple(map(recorded_finding, findings)))
