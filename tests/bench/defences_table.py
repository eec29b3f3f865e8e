"""The table of defences as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.bench.defences_audits import HONEST, WAYS, Cell

SPECTRAL = ("spectrum", "projections", "sparse PCA", "two samples")
LINES = {
    "BadNets": "BadNets",
    "Blend": "Blend",
    "WaNet": "WaNet",
    "low rate": "low rate (BadNets, weight 0.1)",
    "loaded Fourier": "loaded Fourier features",
    "loaded ReLU": "loaded rectified features",
    "loaded ReLU, strong spike": "the same, strong spike",
    "clean ResNet-8": "*no backdoor: ResNet-8*",
    "clean Fourier": "*no backdoor: Fourier*",
    "clean ReLU": "*no backdoor: rectified*",
}
HEADS = (
    "",
    "models",
    "Neural Cleanse",
    "TABOR",
    "Fine-Pruning",
    "spectral tests",
    "smoothing, σ = 48",
    "100 steps of fine-tuning",
    *(f"audit, {way}" for way in WAYS),
)


def markdown(rows: Sequence[Mapping[str, Any]], audits: Mapping[str, Mapping[str, Cell]]) -> Iterator[str]:
    """A line for each kind of model.

    Args:
        rows: what was measured of each model, as `tests.bench.defences` keeps it.
        audits: how many were flagged, by row and way.
    """
    yield f"| {' | '.join(HEADS)} |"
    yield f"|{' --- |' * len(HEADS)}"
    for name, words in LINES.items():
        own = [row for row in rows if row["row"] == name]
        if not own:
            continue
        known = audits.get(HONEST if name == "clean ResNet-8" else name, {})
        cells = [
            words,
            str(len(own)),
            *(_said(own, (label,)) for label in ("Neural Cleanse", "TABOR", "Fine-Pruning")),
            _said(own, SPECTRAL if "spectrum" in own[0]["detectors"] else ("spectral signatures",)),
            _left(own, [row["smoothed"]["48.0"] for row in own]),
            _left(own, [row["tuned"] for row in own]),
            *(_flagged(known.get(way)) for way in WAYS),
        ]
        yield f"| {' | '.join(cells)} |"


def _said(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> str:
    """In how many models one of these suspects something."""
    answers = [[row["detectors"][label] for label in labels if label in row["detectors"]] for row in rows]
    said = [any(answer) for answer in answers if answer and all(isinstance(one, bool) for one in answer)]
    return f"{sum(said)} of {len(said)}" if said else "–"


def _left(rows: Sequence[Mapping[str, Any]], after: Sequence[Sequence[float]]) -> str:
    """In how many models a remedy halves the success, and what accuracy it leaves; only the accuracy where none is."""
    accuracy = f"accuracy {sum(pair[0] for pair in after) / len(after):.2f}"
    if rows[0]["row"].startswith("clean"):
        return accuracy
    gone = sum(pair[1] < row["success"] / 2 for pair, row in zip(after, rows, strict=True))
    return f"{gone} of {len(rows)}, {accuracy}"


def _flagged(cell: Cell | None) -> str:
    return "–" if cell is None else f"{cell[0]} of {cell[1]}"
