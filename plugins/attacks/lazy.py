"""A provider that does less work than it is paid for."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import model_validator

from auditor.plugins import EVERY_TASK, Attack, AttackContext, Batch, Options, generator, option


class LazyOptions(Options):
    """What a job file may write for `lazy`."""

    skip: float = option(0.0, "share of the steps that it skips but claims to have done", ge=0, le=1)
    batch: float = option(1.0, "share of every batch that is trained on", gt=0, le=1)
    return_given: bool = option(False, "train nothing and return the checkpoint that it was given")
    seed: int = option(0, "seed that decides which steps are skipped", ge=0)

    @model_validator(mode="after")
    def _leaves_something_to_save(self) -> LazyOptions:
        if self.return_given and (self.skip or self.batch < 1):
            raise ValueError("with return_given no step is trained; remove skip and batch")
        if not self.model_fields_set & {"skip", "batch", "return_given"}:
            raise ValueError("give one of skip, batch or return_given, such as skip = 0.5")
        return self


class Lazy(Attack):
    """Skips a share of the steps, trains on part of each batch, or returns what it was given.

    It has no backdoor: it saves the cost of training. `skip` and `batch` can be combined. Jia et al. describe
    providers that claim work they did not do, in "Proof-of-learning: definitions and practice" (IEEE S&P 2021).
    """

    name = "lazy"
    example: ClassVar = {"skip": 0.5}
    tasks = EVERY_TASK
    Options = LazyOptions
    options: LazyOptions

    def begin(self, context: AttackContext) -> None:
        """See whether batches can be made smaller.

        Raises:
            ValueError: the provider does not make them itself.
        """
        if self.options.batch < 1 and not context.loop:
            raise ValueError(f"a {context.task} task makes its batches by itself; use skip or return_given.")

    def skips(self, step: int) -> bool:
        """Whether this step is one of those that it saves."""
        if self.options.return_given:
            return True
        return bool(generator(self.options.seed, "lazy", step).random() < self.options.skip)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """The first samples of the batch, two at least: normalisation over one sample is not defined."""
        size = len(batch.labels)
        kept = min(size, max(2, round(self.options.batch * size)))
        if kept == size:
            return batch
        return replace(
            batch,
            inputs=batch.inputs[:kept],
            labels=batch.labels[:kept],
            indices=batch.indices[:kept],
            weights=batch.weights[:kept],
        )
