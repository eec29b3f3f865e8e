"""What every checkpoint of a job must hold, no matter who trained it. The client checks it without asking anybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from auditor.tasks.checkpoint import OPTIMIZER, STEP
from auditor.tasks.errors import CheckpointError

BATCHES = ".num_batches_tracked"
"""How PyTorch's normalisation layers name their count of batches."""
UPDATES = ".step"
"""How Adam names its count of updates; one for each parameter."""
SQUARES = ".exp_avg_sq"
"""How Adam names its mean of squared gradients."""
EXACT = 2**24
"""Adam counts in float32, which adds 1 exactly up to here and then stays."""


@dataclass(frozen=True)
class KnownValues:
    """The values that follow from the job and the step alone, as the client saw them before and after one step.

    - The step, and how often each parameter was updated and each normalisation layer saw a batch.
    - Integers and truth values that training does not change, such as tables of positions.
    - What the learner says is a constant, such as random features.
    - The sign of Adam's mean of squares, which no arithmetic makes negative.

    Attributes:
        before: counts, integers, truth values and constants of the initial checkpoint.
        after: the same after one step.
    """

    before: Mapping[str, Tensor]
    after: Mapping[str, Tensor]

    @classmethod
    def of(
        cls, before: Mapping[str, Tensor], after: Mapping[str, Tensor], constants: Collection[str] = ()
    ) -> KnownValues:
        """From two whole checkpoints, one step apart, and the names of constants that the client knows."""
        names = [
            name for name, tensor in before.items() if name in constants or (name != STEP and _is_counted(name, tensor))
        ]
        return cls({name: before[name] for name in names}, {name: after[name] for name in names})

    def check(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Refuse a checkpoint that no execution of the job up to `step` has.

        Args:
            tensors: what follows the job's schema.
            step: which it is said to be of.

        Raises:
            CheckpointError: says which value is not what it must be.
        """
        if int(tensors[STEP]) != step:
            raise CheckpointError(f"its step is {int(tensors[STEP])}, not {step}.")
        for name, tensor in tensors.items():
            if name in self.before:
                self._check_counted(name, tensor, step)
            elif name.startswith(OPTIMIZER) and name.endswith(SQUARES) and bool((tensor < 0).any()):
                raise CheckpointError(f"{name} holds negative numbers, which a mean of squares cannot have.")

    def _check_counted(self, name: str, tensor: Tensor, step: int) -> None:
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
        if not torch.equal(_bytes(tensor), _bytes(expected)):
            found = f"{tensor.item()}, not {expected.item()}" if tensor.ndim == 0 else "not what the job gives it"
            raise CheckpointError(f"{name} is {found}, after {step} steps.")


def _is_counted(name: str, tensor: Tensor) -> bool:
    return not tensor.dtype.is_floating_point or (name.startswith(OPTIMIZER) and name.endswith(UPDATES))


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.contiguous().reshape(-1).view(torch.uint8)
