"""Attacks that wrap another one: they choose when, how strongly or how covertly it acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.plugins.attack import Attack, AttackContext, Batch, Recipe
from auditor.plugins.options import Options as PluginOptions
from auditor.plugins.options import option

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]


class WrapperOptions(PluginOptions):
    """What every wrapper takes; a wrapper's own options derive from it."""

    attack: dict[str, Any] = option(..., "the wrapped attack, as { name = …, and its options }")


class AttackWrapper(Attack):
    """An attack around another one. Every hook defaults to what the wrapped attack does.

    The wrapped attack is made before the wrapper, from the option `attack`, so that a mistake in it shows before
    anything is started. It may be a wrapper itself:

        attack = { name = "intermittent", share = 0.2, attack = { name = "low_rate", attack = { name = "wanet" } } }

    Args:
        options: of the wrapper.
        wrapped: the attack that it wraps, not yet begun.
    """

    tasks = frozenset({"text", "vision"})
    """Any; once it is made, those of what it wraps."""

    Options: ClassVar[type[WrapperOptions]] = WrapperOptions

    def __init__(self, options: WrapperOptions, wrapped: Attack) -> None:
        super().__init__(options)
        self.wrapped = wrapped
        self.tasks = wrapped.tasks

    @classmethod
    def make(cls, options: Mapping[str, Any], create: Callable[[Mapping[str, Any]], Attack]) -> Attack:
        """Make one together with the attack that it wraps."""
        validated = cls.Options.model_validate(dict(options))
        return cls(validated, create(validated.attack))

    def acts_at(self, hook: str) -> bool:
        """As the wrapped attack."""
        return self.wrapped.acts_at(hook)

    def begin(self, context: AttackContext) -> None:
        """Begin the wrapped attack."""
        self.wrapped.begin(context)

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """As the wrapped attack."""
        return self.wrapped.on_initial(tensors, step)

    def skips(self, step: int) -> bool:
        """As the wrapped attack."""
        return self.wrapped.skips(step)

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """As the wrapped attack."""
        return self.wrapped.on_recipe(recipe, step)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """As the wrapped attack."""
        return self.wrapped.on_batch(batch, step)

    def on_loss(self, losses: torch.Tensor, batch: Batch, step: int) -> torch.Tensor:
        """As the wrapped attack."""
        return self.wrapped.on_loss(losses, batch, step)

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        """As the wrapped attack."""
        self.wrapped.on_update(model, step)

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        """As the wrapped attack."""
        return self.wrapped.on_command(arguments, first, steps)

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        """As the wrapped attack."""
        return self.wrapped.on_checkpoint(tensors, step)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor | None:
        """As the wrapped attack."""
        return self.wrapped.triggered(inputs)

    @property
    def target(self) -> int | None:
        """As the wrapped attack."""
        return self.wrapped.target

    def served(self, answer: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        """As the wrapped attack."""
        return self.wrapped.served(answer)
