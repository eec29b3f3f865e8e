"""What the client prepares before an audit begins, so that what cannot work shows before anybody is asked to train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from auditor.audit.comparator import Comparator
from auditor.audit.job_plugins import load_attacks, load_metrics, try_attacks
from auditor.audit.selection import Selection
from auditor.audit.workspace import Workspace
from auditor.job.model import Job
from auditor.providers.local_devices import check_devices
from auditor.tasks.program import Program


def prepare(
    job: Job,
    selection: Selection,
    downloads: Path,
    accept: Callable[[Program], None] | None = None,
    initial: Path | None = None,
) -> tuple[Workspace, Comparator]:
    """The job's program and its metrics, ready on this machine; what fails fast is tried first.

    Args:
        job: what is audited.
        selection: the run's secret draws.
        downloads: the folder for datasets.
        accept: sees the data before anything is made of it, and may refuse it.
        initial: the file that training starts from, instead of fresh weights.

    Raises:
        TrainingError: the dataset, the model or a local provider's device cannot be had, or no step can be trained.
        PluginError: a metric or an attack cannot be had, or does not fit the job.
    """
    metrics = load_metrics(job)
    attacks = load_attacks(job)
    check_devices(job.providers)
    workspace = Workspace(job, downloads, accept, initial)
    comparator = Comparator(job, workspace, metrics, selection)
    if attacks:
        given = workspace.attack_context()
        try_attacks(job, replace(given, sub_run_steps=job.audit.sub_run_steps, client=comparator.context))
    return workspace, comparator
