"""Small models of digits with and without a backdoor, and what inspectors find in them."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor

from auditor.plugins import Inspection, Inspector, MetricContext, create_plugin
from tests.plugins.models import CONTEXT, Models, trainer

TARGET = 3


def begun(name: str, context: MetricContext = CONTEXT, **options: Any) -> Inspector:
    """An inspector with these options, told of the job."""
    inspector = create_plugin("inspectors", name, options)
    inspector.begin(context)
    return inspector


def inspected(models: Models, name: str, *, backdoor: bool, **options: Any) -> Inspection:
    """What an inspector finds in a model that was trained for 100 steps."""
    return begun(name, **options).inspect(models.keep(f"trained {backdoor}", trained(backdoor)))


@cache
def trained(backdoor: bool) -> dict[str, Tensor]:
    """A checkpoint after 100 steps, with BadNets or without; only looked at."""
    attack = create_plugin("attacks", "badnets", {"target": TARGET, "rate": 0.1}) if backdoor else None
    training = trainer(attack=attack, sub_run_steps=100)
    for _ in range(100):
        training.execute_step()
    return training.checkpoint()
