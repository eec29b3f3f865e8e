"""Comparing checkpoints of any size: their tensors are read from the files piece by piece, never loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

Squares = NDArray[np.float64]
"""Squared Euclidean distances [models, models], symmetric with 0 on the diagonal."""


def squares_apart(
    models: Sequence[Iterable[tuple[str, torch.Tensor]]], *, origin: bool = False
) -> Iterator[tuple[str, Squares]]:
    """How far each tensor of some models lies from the same tensor of the others.

    Every file is read once, whatever the number of pairs. Differences are taken and squared in the precision of
    the tensors, piece by piece, and the pieces are added up in float64: the relative error stays near 1e-7.

    Args:
        models: flat pieces of tensors by name, the same in the same order for every model.
        origin: whether a model whose numbers are all 0 goes before the others.

    Yields:
        The name of a tensor and its distances.
    """
    room = np.empty(0, dtype=np.float32)
    for name, rows in groupby(zip(*models, strict=True), lambda row: row[0][0]):
        total = np.zeros((len(models) + origin,) * 2)
        for row in rows:
            pieces = [_numbers(piece) for _, piece in row]
            if origin:
                pieces.insert(0, np.zeros_like(pieces[0]))
            if len(room) < len(pieces[0]) or room.dtype != pieces[0].dtype:
                room = np.empty_like(pieces[0])
            total += _squares(pieces, room)
        yield name, total


def _numbers(piece: torch.Tensor) -> NDArray[np.floating]:
    kept = piece if piece.dtype in (torch.float32, torch.float64) else piece.float()
    return kept.numpy()


def _squares(pieces: Sequence[NDArray[np.floating]], room: NDArray[np.floating]) -> Squares:
    squares = np.zeros((len(pieces), len(pieces)))
    apart = room[: len(pieces[0])]
    with np.errstate(over="ignore"):
        for row, first in enumerate(pieces):
            for column, second in enumerate(pieces[:row]):
                np.subtract(first, second, out=apart)
                # Neither BLAS nor PyTorch: their threads wait for one another where the processor is shared.
                squares[row, column] = squares[column, row] = np.einsum("i,i->", apart, apart)
    if not np.isfinite(squares).all() and room.dtype == np.float32:
        # A provider may return numbers whose squares float32 cannot hold. They must not hide it.
        return _squares([piece.astype(np.float64) for piece in pieces], room.astype(np.float64))
    return squares
