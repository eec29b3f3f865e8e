"""What all events are."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Event:
    """Base of all events; `kind` names an event in the store and in JSON."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Name the event after its class: `BoundaryOpened` is `boundary_opened`."""
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def payload(self) -> dict[str, Any]:
        """The fields, as JSON can hold them."""
        return asdict(self)
