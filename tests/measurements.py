"""Rows as `auditor bench --json` writes them, with figures that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def row(
    *,
    k: int = 20,
    participants: int = 3,
    malicious: int = 1,
    low: float = 0.9,
    attacks: dict[str, tuple[int, float]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A setting with the client's seeds and the metrics that every audit has.

    Args:
        k: steps in a sub-run.
        participants: n.
        malicious: how many of them were.
        low: the lower bound of its one attack, where `attacks` are not given.
        attacks: by name, how many of 100 were flagged, and the lower bound.
        more: keys to set or to replace.
    """
    tables = {"badnets": (100, low)} if attacks is None else attacks
    return {
        "kind": "setting",
        "bench": "made-up",
        "task_kind": "vision",
        "task": "digits resnet8",
        "seeds": "shared",
        "sub_run_steps": k,
        "participants": participants,
        "malicious": malicious,
        "benign_fraction": (participants - malicious) / participants,
        "replicated": 1,
        "metrics": [{"name": "update"}, {"name": "buffers"}, {"name": "optimizer"}],
        "decision": "auto",
        "false_alarm_rate": 0.01,
        "true_positives": rate(100, low),
        "false_positives": rate(1, 0.0),
        "attacks": {name: rate(count, bound) for name, (count, bound) in tables.items()},
        **more,
    }


def rate(count: int, low: float) -> dict[str, Any]:
    """So many of a hundred."""
    return {"count": count, "of": 100, "rate": count / 100, "low": low, "high": 1.0}


def write_rows(path: Path, rows: Iterable[dict[str, Any]], *, lines: bool = True) -> Path:
    """As JSON lines, or as a list."""
    path.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(list(rows)))
    return path
