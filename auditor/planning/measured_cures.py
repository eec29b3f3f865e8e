"""What was measured to come of each way to cure a model, by `python -m tests.bench.cures`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).with_name("measured_cures.json")
"""What comes with auditor."""


@dataclass(frozen=True)
class MeasuredCure:
    """One way, tried on models of one task with one attack.

    Attributes:
        task: dataset and model.
        attack: the backdoor.
        way: `rollback`, `finetune` or `both`.
        instances: how many trained models.
        success: the mean success before and after.
        worst: the highest success after.
        accuracy: the mean accuracy before and after.
        steps: of the cure, as a share of the training's.
    """

    task: str
    attack: str
    way: str
    instances: int
    success: tuple[float, float]
    worst: float
    accuracy: tuple[float, float]
    steps: float


def measured_cures(way: str) -> Iterator[str]:
    """What was measured of one way, a sentence for each task and attack."""
    for row in json.loads(SHIPPED.read_text(encoding="utf-8")):
        if row["way"] != way:
            continue
        one = MeasuredCure(**row)
        (before, after), (was, now) = one.success, one.accuracy
        yield (
            f"{one.attack} on {one.task}: success {100 * before:.0f} % before, {100 * after:.0f} % after (at most "
            f"{100 * one.worst:.0f} %), accuracy {100 * was:.1f} to {100 * now:.1f} %, with {100 * one.steps:.0f} % of "
            f"the training's steps; {one.instances} models"
        )
