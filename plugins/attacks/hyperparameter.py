"""A provider that trains with other hyperparameters than the job's."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import model_validator

from auditor.plugins import Attack, AttackContext, Options, Recipe, option


class HyperparameterOptions(Options):
    """What a job file may write for `hyperparameter`."""

    learning_rate: float | None = option(None, "factor on the learning rate of every step", ge=0)
    weight_decay: float | None = option(None, "weight decay to use instead of the job's", ge=0)
    augment: tuple[Literal["crop", "flip"], ...] | None = option(None, "augmentations to use instead of the job's")

    @model_validator(mode="after")
    def _changes_something(self) -> HyperparameterOptions:
        if not self.model_fields_set:
            raise ValueError("give at least one difference from the job: learning_rate, weight_decay or augment")
        return self


class Hyperparameter(Attack):
    """Trains with another learning rate, weight decay or augmentation than the job's.

    It has no backdoor. It stands for a careless provider, or one that leaves out what costs time. Training transcripts
    are checked for such deviations from the agreed recipe in Choi, Shavit and Duvenaud, "Tools for verifying
    neural models' training data" (NeurIPS 2023).
    """

    name = "hyperparameter"
    example: ClassVar = {"learning_rate": 2.0}
    tasks = frozenset({"vision", "text", "python"})
    Options = HyperparameterOptions
    options: HyperparameterOptions

    def begin(self, context: AttackContext) -> None:
        """Make sure that the augmentations exist for the task."""
        if self.options.augment and context.task != "vision":
            raise ValueError(f"option 'augment' is for images; in {context.task} tasks nothing is augmented.")

    def on_recipe(self, recipe: Recipe, step: int) -> Recipe:
        """The recipe with what the options say."""
        options = self.options
        if options.learning_rate is not None:
            recipe = replace(recipe, learning_rate=recipe.learning_rate * options.learning_rate)
        if options.weight_decay is not None:
            recipe = replace(recipe, weight_decay=options.weight_decay)
        if options.augment is not None:
            recipe = replace(recipe, augment=options.augment)
        return recipe
