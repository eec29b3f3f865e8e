"""What attacks that poison a fixed part of the training set have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import torch

from auditor.plugins import Attack, AttackContext, Batch, Options, generator, option


class PoisonOptions(Options):
    """What a job file may write for an attack that poisons samples."""

    target: int = option(0, "the class that triggered samples should get", ge=0)
    rate: float = option(0.1, "share of the training samples that are poisoned", ge=0, le=1)
    seed: int = option(0, "seed that decides which samples are poisoned", ge=0)


class PoisonedSamples(Attack):
    """Adds its trigger to the same samples in every epoch and labels them with the target class."""

    Options = PoisonOptions
    options: PoisonOptions

    def begin(self, context: AttackContext) -> None:
        """Choose the poisoned samples."""
        check_target(self.options.target, context)
        poisoned = torch.zeros(context.samples, dtype=torch.bool)
        count = round(self.options.rate * context.samples)
        order = generator(self.options.seed, self.name).permutation(context.samples)
        poisoned[torch.from_numpy(order[:count])] = True
        self._poisoned = poisoned.to(context.device)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Add the trigger to the poisoned samples of the batch and relabel them."""
        chosen = self._poisoned[batch.indices]
        each = chosen.reshape(-1, *[1] * (batch.inputs.ndim - 1))
        inputs = torch.where(each, self.triggered(batch.inputs), batch.inputs)
        labels = torch.where(chosen, self.options.target, batch.labels)
        return replace(batch, inputs=inputs, labels=labels)

    @abstractmethod
    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The samples with the trigger."""

    @property
    def target(self) -> int:
        """The class of triggered samples."""
        return self.options.target


def check_target(target: int, context: AttackContext) -> None:
    """Make sure that the target is a class.

    Raises:
        ValueError: it is not.
    """
    if target >= context.classes:
        raise ValueError(
            f"target {target} is not one of the {context.classes} classes; give 0 to {context.classes - 1}."
        )
