"""Combinations of keys that are each valid but together make no audit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.base.seeds import Drawer, Seeds

if TYPE_CHECKING:
    from auditor.job.model import Job

MAX_SUB_RUNS = 10_000
"""Each has a checkpoint that the primary commits to, and some events that every look at the run reads."""

MAX_OWN_SEEDS = 400
"""Replicated sub-runs that are judged together where providers draw their own seeds: the time for it grows faster than
their square, and takes a second here."""


def impossibilities(job: Job) -> list[tuple[str, str]]:
    """Combinations of keys that are each valid but together make no audit: (key, message)."""
    found: list[tuple[str, str]] = []
    names = [provider.name for provider in job.providers]
    primaries = [provider.name for provider in job.providers if provider.primary]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        found.append(("providers", f"two providers are named {doubled[0]!r}; give each a different name."))
    if len(primaries) != 1:
        found_primaries = "no provider is" if not primaries else f"{' and '.join(primaries)} are each"
        found.append(("providers", f"{found_primaries} the primary; set `primary = true` for exactly one provider."))
        return found
    if job.simulated:
        found += _impossible_simulations(job)
    if len(job.providers) < 2:
        found.append(("providers", "an audit needs a primary and at least one other provider."))
        return found
    for key, field in type(job.training).model_fields.items():
        if key not in ("steps", "initial", *job.task.trained_by) and getattr(job.training, key) != field.default:
            found.append((f"training.{key}", f"a {job.task.kind} task takes no {key}; remove this key."))
    found += ((f"training.{key}", words) for key, words in job.task.impossible_training(job.training))
    if job.sub_runs > MAX_SUB_RUNS:
        found.append(
            (
                "audit.sub_run_steps",
                f"this cuts {job.training.steps:,} steps into {job.sub_runs:,} sub-runs, but a training can have at "
                f"most {MAX_SUB_RUNS:,}; set it to {-(-job.training.steps // MAX_SUB_RUNS):,} or more.",
            )
        )
    judged = max(job.audit.replicated_at_most or 0, job.replicated or 0)
    judged = judged or math.ceil((job.audit.replicate_probability or 0) * job.sub_runs)
    if job.audit.seeds is Seeds.OWN and not job.task.draws:
        found.append(
            (
                "audit",
                "training draws nothing at random here, so that honest models are equal, as copies are; set "
                "seeds = 'shared'.",
            )
        )
    if job.audit.seeds is Seeds.OWN and judged > MAX_OWN_SEEDS:
        found.append(
            (
                "audit",
                f"this replicates {judged:,} sub-runs, but with seeds = 'own' at most {MAX_OWN_SEEDS} can be "
                "judged together; replicate fewer, or set seeds = 'shared'.",
            )
        )
    if job.audit.sub_run_steps > job.training.steps:
        found.append(
            (
                "audit.sub_run_steps",
                f"a sub-run of {job.audit.sub_run_steps} steps is longer than the training of "
                f"{job.training.steps}; give 1 to {job.training.steps}.",
            )
        )
    if job.audit.replicated is not None and job.audit.replicated > job.sub_runs:
        found.append(
            (
                "audit.replicated",
                f"{job.audit.replicated} sub-runs cannot be replicated, because the training has only {job.sub_runs}; "
                f"give 1 to {job.sub_runs}.",
            )
        )
    if job.audit.noise is not None and job.audit.noise.key != job.noise_key:
        found.append(
            (
                "audit.noise",
                "the file was made for another model, another training or another sub_run_steps; make a new one with "
                "`auditor calibrate`.",
            )
        )
    most = job.audit.replicated_at_most
    if most is not None and (job.replicated is None or job.audit.fixed_selection is not None):
        found.append(
            (
                "audit.replicated_at_most",
                "extends `replicated`, which is not in use; remove this key, or set `replicated`.",
            )
        )
    elif most is not None and not (job.replicated or 0) <= most <= job.sub_runs:
        found.append(
            (
                "audit.replicated_at_most",
                f"{most} does not extend {job.replicated} replicated sub-runs; give {job.replicated} to "
                f"{job.sub_runs}.",
            )
        )
    beyond = [index for index in job.audit.fixed_selection or () if index >= job.sub_runs]
    if beyond:
        found.append(
            (
                "audit.fixed_selection",
                f"there is no sub-run {beyond[0]}; give numbers from 0 to {job.sub_runs - 1}.",
            )
        )
    if job.replicas > len(job.others):
        found.append(
            (
                "audit.replicas",
                f"{job.replicas} replicas need as many providers beside the primary, and the job has "
                f"{len(job.others)}; give 1 to {len(job.others)}.",
            )
        )
    if job.has_too_few_benign:
        found.append(
            (
                "audit.benign_fraction",
                f"with {job.participants} providers, {job.benign_fraction:g} leaves fewer than two benign ones to "
                f"compare; give {math.ceil(2000 / job.participants) / 1000:g} to 1.",
            )
        )
    return found


def _impossible_simulations(job: Job) -> list[tuple[str, str]]:
    """What providers that train nothing cannot be part of."""
    real = [provider.name for provider in job.providers if provider.where.trains]
    if real:
        return [
            (
                "providers",
                f"{real[0]!r} trains, and a simulated provider does not, so that their models cannot be compared; "
                "make all providers simulated, or none.",
            )
        ]
    found = []
    if job.evolution is not None:
        found.append(("evolution", "simulated providers train no updates; remove this table."))
    if job.audit.drawn_by is Drawer.PROVIDER:
        found.append(
            ("audit.drawn_by", "a simulated provider draws no initial weights and no seed; use 'client' or 'coin'.")
        )
    return found
