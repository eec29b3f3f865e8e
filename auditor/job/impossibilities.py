"""Combinations of keys that each are fine but that make no audit together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.base.seeds import Seeds

if TYPE_CHECKING:
    from auditor.job.model import Job

MAX_SUB_RUNS = 10_000
"""Each has a checkpoint that the primary commits to, and some events that every look at the run reads."""

MAX_OWN_SEEDS = 400
"""Replicated sub-runs that are judged together where providers draw their own seeds: the time for it grows faster than
their square, and takes a second here."""


def impossibilities(job: Job) -> list[tuple[str, str]]:
    """Combinations of keys that each are fine but that make no audit together: (key, message)."""
    found: list[tuple[str, str]] = []
    names = [provider.name for provider in job.providers]
    primaries = [provider.name for provider in job.providers if provider.primary]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        found.append(("providers", f"two providers are named {doubled[0]!r}; give each a name of its own."))
    if len(primaries) != 1:
        count = "no provider is" if not primaries else f"{' and '.join(primaries)} are both"
        found.append(("providers", f"{count} the primary; set `primary = true` for exactly one provider."))
        return found
    if len(job.providers) < 2:
        found.append(("providers", "an audit needs a primary and at least one other provider."))
        return found
    for key, field in type(job.training).model_fields.items():
        if key not in ("steps", "initial", *job.task.trained_by) and getattr(job.training, key) != field.default:
            found.append((f"training.{key}", f"a {job.task.kind} task takes no {key}; leave it out."))
    if job.sub_runs > MAX_SUB_RUNS:
        found.append(
            (
                "audit.sub_run_steps",
                f"{job.training.steps:,} steps are cut into {job.sub_runs:,} sub-runs of {job.audit.sub_run_steps:,}, "
                f"and a training has at most {MAX_SUB_RUNS:,}; set it to {-(-job.training.steps // MAX_SUB_RUNS):,} or "
                "more.",
            )
        )
    judged = max(job.audit.replicated_at_most or 0, job.replicated or 0)
    judged = judged or math.ceil((job.audit.replicate_probability or 0) * job.sub_runs)
    if job.audit.seeds is Seeds.OWN and judged > MAX_OWN_SEEDS:
        found.append(
            (
                "audit",
                f"{judged:,} sub-runs would be replicated, and where providers draw their own seeds at most "
                f"{MAX_OWN_SEEDS} can be judged together; replicate fewer, or set seeds = 'shared'.",
            )
        )
    if job.audit.sub_run_steps > job.training.steps:
        found.append(
            (
                "audit.sub_run_steps",
                f"a sub-run of {job.audit.sub_run_steps} steps is longer than the training of "
                f"{job.training.steps}; allowed is 1 to {job.training.steps}.",
            )
        )
    if job.audit.replicated is not None and job.audit.replicated > job.sub_runs:
        found.append(
            (
                "audit.replicated",
                f"{job.audit.replicated} sub-runs cannot be replicated when the training has {job.sub_runs}; "
                f"allowed is 1 to {job.sub_runs}.",
            )
        )
    if job.audit.noise is not None and job.audit.noise.key != job.noise_key:
        found.append(
            (
                "audit.noise",
                "the file was made for another model, another training or another sub_run_steps; make one with "
                "`auditor calibrate`.",
            )
        )
    most = job.audit.replicated_at_most
    if most is not None and (job.replicated is None or job.audit.fixed_selection is not None):
        found.append(
            ("audit.replicated_at_most", "only goes on from `replicated`; leave it out, or give `replicated` instead.")
        )
    elif most is not None and not (job.replicated or 0) <= most <= job.sub_runs:
        found.append(
            (
                "audit.replicated_at_most",
                f"{most} is no continuation of {job.replicated} replicated sub-runs; allowed is {job.replicated} "
                f"to {job.sub_runs}.",
            )
        )
    beyond = [index for index in job.audit.fixed_selection or () if index >= job.sub_runs]
    if beyond:
        found.append(
            (
                "audit.fixed_selection",
                f"there is no sub-run {beyond[0]}; allowed is 0 to {job.sub_runs - 1}.",
            )
        )
    if job.replicas > len(job.others):
        found.append(
            (
                "audit.replicas",
                f"{job.replicas} replicas are asked for and {len(job.others)} providers are not the primary; "
                f"allowed is 1 to {len(job.others)}.",
            )
        )
    if job.benign_fraction * job.participants < 2 and not job.has_referee:
        found.append(
            (
                "audit.benign_fraction",
                f"of {job.participants} providers, {job.benign_fraction:g} would leave fewer than two benign ones "
                f"to compare; allowed is {math.ceil(2000 / job.participants) / 1000:g} to 1.",
            )
        )
    return found
