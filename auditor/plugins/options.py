"""The options of a plugin: what a job file may write beside its name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Base of a plugin's options: validated, frozen, each documented with `option`.

    A plugin declares its options as a nested class and reads them from `self.options`:

        class Options(Options):
            rate: float = option(0.1, "share of the samples that are poisoned", ge=0, le=1)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def option(default: Any, description: str, **constraints: Any) -> Any:
    """A documented option; `constraints` are those of pydantic's `Field`, such as `ge=0`."""
    return Field(default=default, description=description, **constraints)
