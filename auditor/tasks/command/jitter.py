"""Executing a client's program as if its numbers were rounded more coarsely, without a look into it.

Of a network that auditor executes, the output of each layer is changed at random (`auditor.tasks.variation`). Of a
program only files are seen. So the parameters that it starts from are changed, and the same change is taken back from
those that it ends with. What remains is what its steps made of the difference: gradients that differ as if they had
been computed from other roundings. One change stays for all steps, so that what comes of it adds up rather than
cancels: the noise that is measured is too large rather than too small.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from auditor.base.randomness import key
from auditor.tasks.command import state_file
from auditor.tasks.tensor_file import piece_of
from auditor.tasks.variation import JITTER

COARSE = {torch.bfloat16: 2e-3, torch.float16: 5e-4}
"""The least change of parameters that are stored in few bits, relative to their size; a smaller one would be lost."""


class Jitter:
    """One random change of parameters, the same whenever it is asked for.

    Args:
        start: the state that it is a change of.
        names: of the parameters.
        draw: which of the changes.
        precision: of the job.
    """

    def __init__(self, start: Mapping[str, Tensor], names: Collection[str], draw: int, precision: str) -> None:
        self._names = frozenset(name for name in names if start[name].is_floating_point())
        self._start = start
        self._draw = draw
        self._precision = precision

    def put(self, name: str, number: int, piece: Tensor) -> Tensor:
        """A piece of the start, changed."""
        return self._moved(name, number, piece, 1.0)

    def take_back(self, name: str, number: int, piece: Tensor) -> Tensor:
        """The same piece of an end, without the change."""
        return self._moved(name, number, piece, -1.0)

    def _moved(self, name: str, number: int, piece: Tensor, sign: float) -> Tensor:
        if name not in self._names:
            return piece
        begun = piece_of(self._start, name, number, state_file.PIECE).to(torch.float64)
        size = float(begun.square().mean().sqrt()) if begun.numel() else 0.0
        share = max(JITTER[self._precision], COARSE.get(piece.dtype, 0.0))
        drawn = torch.Generator().manual_seed(key(self._draw, f"jitter {name}", number) % 2**63)
        noise = torch.randn(piece.numel(), generator=drawn, dtype=torch.float32)
        return piece.to(torch.float64) + (sign * share * size) * noise
