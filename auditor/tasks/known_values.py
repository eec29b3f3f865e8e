"""What every checkpoint of a job must hold, no matter who trained it. The client checks it without asking anybody."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from auditor.tasks.checkpoint import OPTIMIZER, STEP
from auditor.tasks.errors import CheckpointError
from auditor.tasks.tensor_file import as_array, pieces

BATCHES = ".num_batches_tracked"
"""How PyTorch's normalisation layers name their count of batches."""
UPDATES = ".step"
"""How Adam names its count of updates; one for each parameter."""
SQUARES = ".exp_avg_sq"
"""How Adam names its mean of squared gradients."""
EXACT = 2**24
"""Adam counts in float32, which adds 1 exactly up to here and then stays."""
TOLERANCE = 1e-6
"""How far numbers of an initial state may be off, as a share of the largest of their tensor: other software may round
otherwise."""


@dataclass(frozen=True)
class KnownValues:
    """The values that follow from the job and the step alone, as the client saw them before and after one step.

    - The step, and how often each parameter was updated and each normalisation layer saw a batch.
    - Integers and truth values that training does not change, such as tables of positions.
    - What the learner says is a constant, such as random features.
    - The sign of Adam's mean of squares, which no arithmetic makes negative.

    Where a client's own code executes the steps, only the step and constants are known: that code may count as it
    likes, and mean something else by a name of Adam's.

    Attributes:
        before: counts, integers, truth values and constants of the initial checkpoint.
        after: the same after one step.
        fresh: numbers of the initial state that follow from no seed, such as an optimizer's zeros; for who does not
            know the seed.
        counts_evenly: whether Adam's names mean what they say (see `auditor.tasks.learner.Learner`).
    """

    before: Mapping[str, Tensor]
    after: Mapping[str, Tensor]
    fresh: Mapping[str, Tensor] = field(default_factory=dict)
    counts_evenly: bool = True

    @classmethod
    def of(
        cls,
        before: Mapping[str, Tensor],
        after: Mapping[str, Tensor],
        constants: Collection[str] = (),
        *,
        counts_evenly: bool = True,
    ) -> KnownValues:
        """From two whole checkpoints, one step apart.

        Args:
            before: that before the step.
            after: that after it.
            constants: the names of constants that the client knows.
            counts_evenly: see `auditor.tasks.learner.Learner`.
        """
        names = [
            name
            for name, tensor in before.items()
            if name in constants or (counts_evenly and name != STEP and _is_counted(name, tensor))
        ]
        return cls(
            {name: before[name] for name in names},
            {name: after[name] for name in names},
            counts_evenly=counts_evenly,
        )

    def for_any_seed(self, first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> KnownValues:
        """What also holds for somebody else's seed.

        Args:
            first: the initial state of one seed.
            second: that of another one; what differs between the two follows from the seed.
        """
        common = {name for name, tensor in first.items() if name != STEP and torch.equal(tensor, second[name])}
        return KnownValues(
            {name: tensor for name, tensor in self.before.items() if name in common},
            {name: tensor for name, tensor in self.after.items() if name in common},
            {name: tensor for name, tensor in first.items() if name in common and tensor.dtype.is_floating_point},
            self.counts_evenly,
        )

    def check(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Refuse a checkpoint that no execution of the job up to `step` has.

        Args:
            tensors: what follows the job's schema; in a file of any size, too.
            step: which it is said to be of.

        Raises:
            CheckpointError: says which value is not what it must be.
        """
        if int(tensors[STEP]) != step:
            raise CheckpointError(f"its step is {int(tensors[STEP])}, not {step}.")
        for name in tensors:
            if name in self.before:
                self._check_counted(name, tensors, step)
            elif self.counts_evenly and _is_square(name) and _has_negative(name, tensors):
                raise CheckpointError(f"{name} holds negative numbers, which a mean of squares cannot have.")
            if step == 0 and name in self.fresh and _off(name, tensors, self.fresh) > TOLERANCE:
                raise CheckpointError(f"{name} is not what training starts with, whatever the seed.")

    def _check_counted(self, name: str, tensors: Mapping[str, Tensor], step: int) -> None:
        """Hold one tensor against what it was before the first step, and what a step adds to it."""
        before, after = self.before[name], self.after[name]
        if torch.equal(before, after):
            expected = before
        elif name.endswith((BATCHES, UPDATES)):
            grown = before.to(torch.float64) + (after.to(torch.float64) - before.to(torch.float64)) * step
            expected = (grown.clamp(max=EXACT) if name.endswith(UPDATES) else grown).to(before.dtype)
        else:
            return  # what else a model counts need not grow evenly
        # Compared as bytes: a truth value is one byte, of which only 0 and 1 are one.
        wanted = {name: expected}
        for (_, piece), (_, part) in zip(pieces(tensors, [name]), pieces(wanted, [name]), strict=True):
            if piece.view(torch.uint8).numpy().tobytes() != part.contiguous().view(torch.uint8).numpy().tobytes():
                found = f"{piece.item()}, not {part.item()}" if expected.ndim == 0 else "not what the job gives it"
                raise CheckpointError(f"{name} is {found}, after {step} steps.")


def distance(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """The largest difference between numbers, as a share of the largest of their tensor; 1 where it is more.

    Args:
        state: some tensors.
        expected: what they should be, of the same shapes and types.
    """
    return max((_off(name, state, expected) for name in state), default=0.0)


def _off(name: str, state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """The same for one tensor; both may lie in files of any size."""
    equal, size, off = True, 0.0, 0.0
    for (_, piece), (_, part) in zip(pieces(state, [name]), pieces(expected, [name]), strict=True):
        found, wanted = as_array(piece), as_array(part)
        equal = equal and bool(np.array_equal(found, wanted))
        if not equal and not piece.dtype.is_floating_point:
            return 1.0
        if len(found):
            with np.errstate(invalid="ignore", over="ignore"):
                apart = float(np.abs(np.subtract(found, wanted, dtype=np.float64)).max())
                size = max(size, float(np.abs(wanted.astype(np.float64)).max()))
            off = apart if math.isnan(apart) else max(off, apart)
            if math.isnan(off) and not equal:
                return 1.0
    if equal:
        return 0.0
    return off / size if off <= size else 1.0


def _is_square(name: str) -> bool:
    return name.startswith(OPTIMIZER) and name.endswith(SQUARES)


def _has_negative(name: str, tensors: Mapping[str, Tensor]) -> bool:
    return any(bool((as_array(piece) < 0).any()) for _, piece in pieces(tensors, [name]))


def _is_counted(name: str, tensor: Tensor) -> bool:
    return not tensor.dtype.is_floating_point or (name.startswith(OPTIMIZER) and name.endswith(UPDATES))
