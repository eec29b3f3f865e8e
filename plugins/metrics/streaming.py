"""Comparing checkpoints of any size: their tensors are read from the mapped files piece by piece, never loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

PIECE = 1 << 16
"""Numbers of a tensor that are looked at together: few enough that those of a model stay in the processor's caches
while they are compared with the others', enough that the work outweighs Python's."""

Squares = NDArray[np.float64]
"""Squared Euclidean distances [models, models], symmetric with 0 on the diagonal."""


def squares_apart(models: Sequence[Iterable[tuple[str, torch.Tensor]]]) -> Iterator[tuple[str, Squares]]:
    """How far each tensor of some models lies from the same tensor of the others.

    Every file is read once, whatever the number of pairs. Differences are taken and squared in the precision of
    the tensors, piece by piece, and the pieces are added up in float64: the relative error stays near 1e-7.

    Args:
        models: tensors by name, the same names in the same order for every model.

    Yields:
        The name of a tensor and its distances.
    """
    room = np.empty(PIECE, dtype=np.float32)
    for tensors in zip(*models, strict=True):
        flat = [tensor.reshape(-1) for _, tensor in tensors]
        total = np.zeros((len(flat), len(flat)))
        for start in range(0, len(flat[0]), PIECE):
            total += _squares([_numbers(vector[start : start + PIECE]) for vector in flat], room)
        yield tensors[0][0], total


def _numbers(piece: torch.Tensor) -> NDArray[np.floating]:
    kept = piece if piece.dtype in (torch.float32, torch.float64) else piece.float()
    return kept.numpy()


def _squares(pieces: Sequence[NDArray[np.floating]], room: NDArray[np.floating]) -> Squares:
    squares = np.zeros((len(pieces), len(pieces)))
    if pieces[0].dtype != room.dtype:
        room = np.empty(PIECE, dtype=pieces[0].dtype)
    apart = room[: len(pieces[0])]
    with np.errstate(over="ignore"):
        for row, first in enumerate(pieces):
            for column, second in enumerate(pieces[:row]):
                np.subtract(first, second, out=apart)
                # Neither BLAS nor PyTorch: their threads wait for one another where the processor is shared.
                squares[row, column] = squares[column, row] = np.einsum("i,i->", apart, apart)
    if not np.isfinite(squares).all() and room.dtype == np.float32:
        # A provider may return numbers whose squares float32 cannot hold. They must not hide it.
        return _squares([piece.astype(np.float64) for piece in pieces], room)
    return squares
