"""A plugin as a job names it."""

from __future__ import annotations

import json
import math
from datetime import date, time
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.key_lines import inner_values
from auditor.job.names import Name

MAX_PLUGINS = 64


def names_as_tables(value: Any) -> Any:
    """A list in which a plugin may be named by a word alone, with a table in place of each word; else as it is."""
    if not isinstance(value, list | tuple):
        return value
    return tuple({"name": item} if isinstance(item, str) else item for item in value)


class PluginUse(BaseModel):
    """A plugin by name with its options, which only the plugin itself can validate."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    name: Name

    @property
    def options(self) -> dict[str, Any]:
        """The options as the job file gives them, without the name."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def table(self) -> dict[str, Any]:
        """The name and the options, as the table that the job file has."""
        return {"name": self.name, **self.options}

    @property
    def key(self) -> str:
        """The table as JSON with sorted keys: equal for equal uses."""
        return json.dumps(self.table, sort_keys=True)

    @model_validator(mode="after")
    def _options_can_be_kept(self) -> Self:
        """A run keeps its job as JSON, which has no dates and no infinite numbers."""
        for path, value in inner_values(self.options):
            if isinstance(value, date | time) or (isinstance(value, float) and not math.isfinite(value)):
                key = ".".join(map(str, path))
                raise PydanticCustomError(
                    "option",
                    "{value} is not a valid value for an option; give a number or a text.",
                    {"value": str(value), "key": key},
                )
        return self
