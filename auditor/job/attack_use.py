"""An attack as a job names it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from auditor.job.plugin_use import PluginUse

UpdateNumber = Annotated[int, Field(ge=0)]


class AttackUse(PluginUse):
    """An attack that a provider simulates; in an evolving job, in some updates or in all."""

    updates: tuple[UpdateNumber, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=1_001,
        strict=False,
        description="the updates of an evolving job in which it acts; all if not given",
    )
