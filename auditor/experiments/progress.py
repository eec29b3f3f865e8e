"""How far long work is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far long work is.

    Attributes:
        stage: what is being done.
        done: units of it.
        total: units of the whole stage.
        unit: what is counted.
    """

    stage: str
    done: int
    total: int
    unit: str
