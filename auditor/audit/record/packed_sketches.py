"""Sketches as events keep them: as text.

What is kept of a sub-run is how far each sketch lies from the median of all, number by number, in half precision: 2 kB
a model. The median stays where it is whatever a minority returns, so that a huge model does not blur the others.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def packed(sketches: Sequence[NDArray[np.float64]]) -> tuple[str, ...]:
    """What is kept of the sketches of one sub-run, as text; their order stays."""
    values = np.array(sketches)
    apart = values - np.median(values, axis=0)
    largest = np.abs(apart).max(axis=1, keepdims=True)
    scaled = np.divide(apart, largest, out=np.zeros_like(apart), where=largest > 0).astype("<f2")
    return tuple(
        base64.b64encode(np.float64(scale).astype("<f8").tobytes() + row.tobytes()).decode()
        for scale, row in zip(largest[:, 0], scaled, strict=True)
    )


def unpacked(texts: Sequence[str]) -> NDArray[np.float64]:
    """What `packed` kept: float [n, projections]."""
    rows = []
    for text in texts:
        raw = base64.b64decode(text)
        rows.append(np.frombuffer(raw, "<f8", 1)[0] * np.frombuffer(raw, "<f2", offset=8).astype(np.float64))
    return np.array(rows)
