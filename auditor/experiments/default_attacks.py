"""The adversaries that a job is tried against when nobody names others."""

from __future__ import annotations

from auditor.experiments.specification import AttackUse
from auditor.job.model import Job

_CHEATS: tuple[dict[str, object], ...] = (
    {"name": "lazy", "skip": 0.5},
    {"name": "lazy", "batch": 0.5},
    {"name": "hyperparameter", "learning_rate": 2.0},
    {"name": "tamper", "amount": 0.01},
)
"""Work that is skipped or changed: of interest whatever is learned."""

_BACKDOORS: dict[str, tuple[dict[str, object], ...]] = {
    "vision": (
        {"name": "badnets", "variants": 2},
        {"name": "blend", "variants": 2},
        {"name": "wanet", "variants": 2},
        {"name": "low_rate", "ratio": 0.1, "attack": {"name": "badnets"}, "variants": 2},
        {"name": "adaptive", "metric": "update", "attack": {"name": "badnets"}, "variants": 2},
    ),
    "text": (
        {"name": "text_trigger", "variants": 2},
        {"name": "text_trigger", "triggers": ["I watch this 3D movie"], "variants": 2},
        {"name": "low_rate", "ratio": 0.1, "attack": {"name": "text_trigger"}, "variants": 2},
    ),
}


def default_attacks(job: Job) -> tuple[AttackUse, ...]:
    """The attacks that the job simulates, and the usual backdoors and cheats for its kind of task."""
    own = [provider.attack.table for provider in job.providers if provider.attack is not None]
    backdoors = next((_BACKDOORS[kind] for kind in (job.task.kind, *job.task.akin) if kind in _BACKDOORS), ())
    bf16 = [{"name": "precision"}] if job.training.precision != "bf16" else []
    tables = [*own, *(table for table in (*backdoors, *_CHEATS, *bf16) if table not in own)]
    return tuple(AttackUse.model_validate(table) for table in tables)
