"""Which samples each step learns from: a permutation per epoch, keyed by the seed and the epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from auditor.base.randomness import generator
from auditor.tasks.errors import TrainingError


class BatchOrder:
    """The indices of every step's batch, computable for any step on its own.

    The last, incomplete batch of an epoch is dropped.
    """

    def __init__(self, samples: int, batch_size: int, seed: int, device: torch.device) -> None:
        if batch_size > samples:
            raise TrainingError(
                f"a batch of {batch_size} is larger than the {samples} training samples; "
                f"set training.batch_size to at most {samples}."
            )
        self._samples = samples
        self._batch_size = batch_size
        self._seed = seed
        self._device = device
        self._epoch = -1
        self._permutation = torch.empty(0)

    @property
    def epoch_steps(self) -> int:
        """How many whole batches there are in an epoch."""
        return self._samples // self._batch_size

    def indices(self, step: int) -> Tensor:
        """int64 [batch_size]: the samples of this step."""
        epoch, position = divmod(step, self.epoch_steps)
        if epoch != self._epoch:
            order = generator(self._seed, "order", epoch).permutation(self._samples)
            self._permutation = torch.from_numpy(order).to(self._device)
            self._epoch = epoch
        start = position * self._batch_size
        return self._permutation[start : start + self._batch_size]
