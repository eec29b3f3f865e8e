"""The parameters of models, read from their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.plugins import ReturnedModel

from .streaming import Squares, squares_apart


def from_the_start(models: Sequence[ReturnedModel]) -> Iterator[tuple[str, Squares]]:
    """For every parameter the squared distances [1 + n, 1 + n] among the checkpoint they started from and n models."""
    rows = [models[0].pieces("start_parameters"), *(model.pieces("parameters") for model in models)]
    return squares_apart(rows)
