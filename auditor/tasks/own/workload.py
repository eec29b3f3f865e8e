"""What a client's own code returns: everything that a training needs, and nothing that executes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from auditor.tasks.data.tokenizer import TextTokenizer


class Items(Protocol):
    """A dataset of PyTorch's that knows its length: its items are pairs of an input and a label."""

    def __len__(self) -> int:
        """How many items there are."""

    def __getitem__(self, index: int, /) -> Any:
        """One item; the same whenever it is asked for."""


Data = Items | Sequence[Tensor]
"""A dataset of PyTorch's, or a pair of tensors: inputs [N, …] and labels [N, …]."""


def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """The loss of each sample of a classification, float [B].

    Args:
        outputs: before any softmax, [B, classes].
        labels: int64 [B].
    """
    return nn.functional.cross_entropy(outputs.float(), labels, reduction="none")


@dataclass(frozen=True)
class Workload:
    """A training, as `kind = "python"` takes it.

    Steps, batches, seeds, devices, precision and checkpoints are the job's and auditor's. Everything that draws at
    random may do so as usual, from `torch`, `random` or `numpy.random`: auditor sets their seeds before each use.

    Attributes:
        model: makes the model, with fresh weights, on the CPU; its class for instance. All of its state must be in its
            parameters and buffers.
        training: what is trained on; it is read into memory once.
        held_out: what models are compared and tested on; without it, a tenth of the training samples.
        loss: from outputs and labels, the loss of each sample, float [B], or of the batch, float [].
        prepare: from a batch of inputs as the data has them, on the device, to what the model takes. Images in steps of
            256 become float32 from 0 to 1 without it; everything else stays as it is.
        augment: changes one input at random, before `prepare`.
        optimizer: makes the optimizer of a model; without it, that of the job.
        schedule: makes the schedule of that optimizer, which steps once a step; without it, the rate is constant.
        tokenizer: what made texts of token ids, where inputs are texts and the job says `samples = "texts"`; attacks
            on texts write their triggers with it.
        travels_whole: whether checkpoints also hold the parameters that have no gradient or are not in the optimizer.
            Set it if the code changes such parameters itself.
    """

    model: Callable[[], nn.Module]
    training: Data
    held_out: Data | None = None
    loss: Callable[[Any, Tensor], Tensor] = cross_entropy
    prepare: Callable[[Tensor], Tensor] | None = None
    augment: Callable[[Tensor], Tensor] | None = None
    optimizer: Callable[[nn.Module], torch.optim.Optimizer] | None = None
    schedule: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None = None
    tokenizer: TextTokenizer | None = None
    travels_whole: bool = False
