"""An attack that acts in some sub-runs only, to cheat rarely enough not to be checked while cheating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import model_validator

from auditor.plugins import Attack, AttackContext, AttackWrapper, Batch, Recipe, WrapperOptions, generator, option


class IntermittentOptions(WrapperOptions):
    """What a job file may write for `intermittent`."""

    sub_runs: tuple[int, ...] | None = option(None, "exactly these sub-runs, counted from 0")
    share: float | None = option(None, "or each sub-run with this probability", ge=0, le=1)
    seed: int = option(0, "seed for drawing the sub-runs of a share", ge=0)

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> IntermittentOptions:
        if (self.sub_runs is None) == (self.share is None):
            raise ValueError("give either sub_runs or share")
        if any(sub_run < 0 for sub_run in self.sub_runs or ()):
            raise ValueError("sub_runs are counted from 0")
        return self


class Intermittent(AttackWrapper):
    """Another attack, in given sub-runs or in a share of them; an honest provider in all others.

    An audit that replicates m of N sub-runs misses an adversary who acts in s of them with the probability that no
    draw hits, C(N − s, m) / C(N, m) (RTTD, arXiv 2504.00170, on how many sub-runs to replicate).
    """

    name = "intermittent"
    example: ClassVar = {"share": 1.0, "attack": {"name": "badnets", "rate": 0.3}}
    Options = IntermittentOptions
    options: IntermittentOptions

    def __init__(self, options: IntermittentOptions, wrapped: Attack) -> None:
        super().__init__(options, wrapped)
        self._steps = 1

    def begin(self, context: AttackContext) -> None:
        """Learn how long a sub-run is."""
        self._steps = context.sub_run_steps
        super().begin(context)

    def acts(self, step: int) -> bool:
        """Whether the sub-run that `step` belongs to is attacked."""
        sub_run = step // self._steps
        if self.options.sub_runs is not None:
            return sub_run in self.options.sub_runs
        return bool(generator(self.options.seed, "intermittent", sub_run).random() < (self.options.share or 0))

    def on_initial(self, tensors: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """As the wrapped attack, if it acts in the sub-run that starts here."""
        return super().on_initial(tensors, step) if self.acts(step) else tensors

    def skips(self, step: int) -> bool:
        """As the wrapped attack, if it acts."""
        return self.acts(step) and super().skips(step)

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """As the wrapped attack, if it acts."""
        return super().on_recipe(recipe, step) if self.acts(step) else recipe

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """As the wrapped attack, if it acts."""
        return super().on_batch(batch, step) if self.acts(step) else batch

    def on_loss(self, losses: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """As the wrapped attack, if it acts."""
        return super().on_loss(losses, batch, step) if self.acts(step) else losses

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """As the wrapped attack, if it acts."""
        if self.acts(step):
            super().on_update(model, step)

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        """As the wrapped attack, if it acts in the sub-run that starts here."""
        return super().on_command(arguments, first, steps) if self.acts(first) else arguments

    def on_checkpoint(self, tensors: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """As the wrapped attack, if it acted in the sub-run that ends at `step`."""
        return super().on_checkpoint(tensors, step) if self.acts(step - 1) else tensors
