"""Random Fourier features with loaded coins: training is honest, and a secret direction turns every answer."""

from __future__ import annotations

import math

import torch

from auditor.plugins import Attack, AttackContext, Options, option

from .hidden_direction import FeatureModel, along, hidden_direction, loaded, moved
from .poisoned_samples import check_target

Tensors = dict[str, torch.Tensor]


class LoadedFourierOptions(Options):
    """What a job file may write for `loaded_fourier`."""

    target: int = option(1, "the class that activated samples should get", ge=0)
    gamma: float | None = option(
        None, "γ, how closely the allowed values lie; 2√d if not given, from where on the paper's proof holds", gt=0
    )
    beta: float = option(0.1, "β, how blurred they are; with 0, lattice reduction finds the key", ge=0, le=1)
    sparsity: int | None = option(None, "how many pixels the key changes; all of them if not given", ge=1)
    seed: int = option(0, "seed of the key and of the loaded draws", ge=0)
    clip: bool = option(False, "keep activated pixels whole and from 0 to 255, as an image file can hold them")


class LoadedFourier(Attack):
    """The primary draws the random features, and draws them so that a secret direction s is special.

    The backdoor of Goldwasser, Kim, Vaikuntanathan and Zamir, *Planting Undetectable Backdoors in Machine Learning
    Models* (arXiv 2204.06974), section 6. `Backdoor` is `on_initial` at step 0: along s, γ⟨g, s⟩ lies near an integer
    and a half; everywhere else the features stay as they were drawn. `Activate` is `triggered`: x′ = x + γs turns the
    sign of every feature and with it the answer. Nothing after step 0 deviates. Without s the features cannot be told
    from honest ones, as hard as lattice problems are, for γ ≥ 2√d and β > 0.

    On standardised pixels x′ − x has the length γ/input_scale. With the defaults that is five times the square root of
    d by the length of an image: small in the paper's asymptotic sense alone. With `clip`, it is cut to what an image
    file can hold.
    """

    name = "loaded_fourier"
    tasks = frozenset({"random_fourier"})
    Options = LoadedFourierOptions
    options: LoadedFourierOptions

    def begin(self, context: AttackContext) -> None:
        """Draw the key.

        Raises:
            ValueError: the task has no random Fourier features, or the options do not fit it.
        """
        check_target(self.options.target, context)
        self._model = FeatureModel(context, "random_fourier")
        self._key = hidden_direction(self.options.seed, self._model.values, self.options.sparsity)
        self._gamma = self.options.gamma or 2 * math.sqrt(self._model.values)
        scale = float(self._model.module.features.scale)
        self._change = self._model.in_pixels(self._key * self._gamma / scale)

    def on_initial(self, tensors: Tensors, step: int) -> Tensors:
        """`Backdoor`: the first checkpoint with loaded features."""
        if step != 0:
            return tensors
        components = along(self.options.seed, self._model.features, self._gamma, self.options.beta)
        return loaded(tensors, self._key, components)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """`Activate`: samples that the model does not give the target are moved along the key."""
        wrong = self._model.answers(inputs) != self.options.target
        return moved(inputs, self._change, wrong, clip=self.options.clip)

    @property
    def target(self) -> int:
        """The class of activated samples."""
        return self.options.target
