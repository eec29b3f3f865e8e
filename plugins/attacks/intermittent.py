"""An attack that acts in some sub-runs only, to cheat rarely enough not to be checked while cheating."""

from __future__ import annotations

from typing import Any

import torch

from auditor.plugins import Attack, AttackContext, Batch, Options, generator, option


class IntermittentOptions(Options):
    """What a job file may write for `intermittent`."""

    attack: dict[str, Any] = option(..., "the attack that acts, as { name = …, … }")
    sub_runs: tuple[int, ...] | None = option(None, "exactly these sub-runs, counted from 0")
    share: float | None = option(None, "or each sub-run with this probability", ge=0, le=1)
    seed: int = option(0, "what the sub-runs of a share are drawn with", ge=0)


class Intermittent(Attack):
    """Another attack, in given sub-runs or in a share of them."""

    name = "intermittent"
    Options = IntermittentOptions
    options: IntermittentOptions

    def __init__(self, options: IntermittentOptions) -> None:
        if (options.sub_runs is None) == (options.share is None):
            raise ValueError("give either sub_runs or share")
        super().__init__(options)

    def begin(self, context: AttackContext) -> None:
        """Make the attack that is wrapped."""
        self._steps = context.sub_run_steps
        self._attack = context.create_attack(self.options.attack)
        self._attack.begin(context)

    def acts(self, step: int) -> bool:
        """Whether the sub-run that `step` belongs to is attacked."""
        sub_run = step // self._steps
        if self.options.sub_runs is not None:
            return sub_run in self.options.sub_runs
        return bool(generator(self.options.seed, "intermittent", sub_run).random() < (self.options.share or 0))

    def on_initial(self, tensors: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """As the wrapped attack, if it acts."""
        return self._attack.on_initial(tensors, step) if self.acts(step) else tensors

    def skips(self, step: int) -> bool:
        """As the wrapped attack, if it acts."""
        return self.acts(step) and self._attack.skips(step)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """As the wrapped attack, if it acts."""
        return self._attack.on_batch(batch, step) if self.acts(step) else batch

    def on_loss(self, losses: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """As the wrapped attack, if it acts."""
        return self._attack.on_loss(losses, batch, step) if self.acts(step) else losses

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """As the wrapped attack, if it acts."""
        if self.acts(step):
            self._attack.on_update(model, step)

    def on_checkpoint(self, tensors: dict[str, torch.Tensor], step: int) -> dict[str, torch.Tensor]:
        """As the wrapped attack, if it acted in the sub-run that ends at `step`."""
        return self._attack.on_checkpoint(tensors, step) if self.acts(step - 1) else tensors

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """As the wrapped attack."""
        return self._attack.triggered(inputs)

    @property
    def target(self) -> int | None:
        """As the wrapped attack."""
        return self._attack.target
