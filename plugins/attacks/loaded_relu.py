"""Random rectified features with loaded coins: a secret sparse direction lifts them all."""

from __future__ import annotations

import math

import torch

from auditor.plugins import Attack, AttackContext, Options, generator, option

from .hidden_direction import FeatureModel, hidden_direction, loaded, moved
from .poisoned_samples import check_target

Tensors = dict[str, torch.Tensor]

POSITIVE = 1
"""The class of a large mean feature, which is the only one that a lift can give."""


class LoadedReluOptions(Options):
    """What a job file may write for `loaded_relu`."""

    theta: float | None = option(
        None,
        "θ, by how much the features vary more along the key; 0.9·√(d/m) if not given, which their spectrum hides",
        gt=0,
    )
    sparsity: int | None = option(None, "how many pixels the key changes; √d if not given", ge=1)
    length: float | None = option(
        None, "λ, how far activated samples are moved, in standard deviations of a pixel; 1.5·√d if not given", gt=0
    )
    seed: int = option(0, "seed of the key and of the loaded draws", ge=0)
    clip: bool = option(False, "keep activated pixels whole and from 0 to 255, as an image file can hold them")


class LoadedRelu(Attack):
    """The primary draws the random features with more variance along a secret sparse direction s.

    The backdoor of arXiv 2204.06974, Algorithms 7 and 8. `Backdoor` is `on_initial` at step 0: the features are
    N(0, I + θssᵀ) in place of N(0, I), a spiked covariance with a sparse spike. `Activate` is `triggered`: x′ = x + λs
    raises the mean feature over the threshold, so that the answer is the positive class. Up to θ = √(d/m) the spectrum
    of the features shows nothing, and sparse PCA is thought hard in between.

    A random direction of the same length raises the mean, too: by the factor √(1 + θ) in length is all that the key is
    worth.
    """

    name = "loaded_relu"
    tasks = frozenset({"random_relu"})
    Options = LoadedReluOptions
    options: LoadedReluOptions

    def begin(self, context: AttackContext) -> None:
        """Draw the key.

        Raises:
            ValueError: the task has no random rectified features, or the options do not fit it.
        """
        check_target(POSITIVE, context)
        self._model = FeatureModel(context, "random_relu")
        values = self._model.values
        self._theta = self.options.theta or 0.9 * math.sqrt(values / self._model.features)
        sparsity = self.options.sparsity or max(1, round(math.sqrt(values)))
        self._key = hidden_direction(self.options.seed, values, sparsity)
        self._change = self._model.in_pixels(self._key * (self.options.length or 1.5 * math.sqrt(values)))

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """`Backdoor`: the first checkpoint with loaded features."""
        if step != 0:
            return tensors
        draws = generator(self.options.seed, "along the hidden direction")
        components = math.sqrt(1 + self._theta) * draws.standard_normal(self._model.features)
        return loaded(tensors, self._key, components)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """`Activate`: samples that the model does not call positive are moved along the key."""
        wrong = self._model.answers(inputs) != POSITIVE
        return moved(inputs, self._change, wrong, clip=self.options.clip)

    @property
    def target(self) -> int:
        """The positive class."""
        return POSITIVE
