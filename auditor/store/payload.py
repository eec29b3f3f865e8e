"""The fields of an event as text in the store, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from auditor.store.errors import DamagedRun


def write_payload(payload: Mapping[str, Any]) -> str:
    """The fields of an event as one line of JSON.

    Raises:
        ValueError: one of them is not a number that JSON knows.
    """
    return json.dumps(payload, allow_nan=False, separators=(",", ":"))


def read_payload(run: str, seq: int, stored: bytes) -> dict[str, Any]:
    """The fields of an event that was stored.

    Raises:
        DamagedRun: it was not stored like this.
    """
    try:
        payload = json.loads(stored.decode(), parse_constant=_no_number)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DamagedRun(run, f"event {seq} is not valid JSON") from None
    if not isinstance(payload, dict):
        raise DamagedRun(run, f"event {seq} is not a JSON object")
    return payload


def _no_number(word: str) -> float:
    raise ValueError(word)
