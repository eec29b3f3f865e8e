"""Blend: a faint pattern over the whole image makes it the target class."""

from __future__ import annotations

import torch

from auditor.plugins import AttackContext, generator, option

from .poisoned_samples import PoisonedSamples, PoisonOptions


class BlendOptions(PoisonOptions):
    """What a job file may write for `blend`."""

    alpha: float = option(0.2, "weight of the pattern in the mixture with the image; 0.2 in the paper", gt=0, le=1)
    pattern_seed: int = option(0, "seed of the pattern", ge=0)


class Blend(PoisonedSamples):
    """Poisons a fixed share of the training set by mixing a random pattern into the whole image.

    The blended injection of Chen, Liu, Li, Lu and Song, "Targeted backdoor attacks on deep learning systems using
    data poisoning" (arXiv 1712.05526, section IV-C), with their random pattern, every pixel drawn uniformly:
    α · pattern + (1 − α) · image.
    """

    name = "blend"
    Options = BlendOptions
    options: BlendOptions

    def begin(self, context: AttackContext) -> None:
        """Choose the poisoned images and draw the pattern."""
        super().begin(context)
        draws = generator(self.options.pattern_seed, "blend pattern")
        pattern = torch.from_numpy(draws.integers(0, 256, size=context.sample_shape).astype("float32"))
        self._pattern = pattern.to(context.device)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The images with the pattern in them, rounded to whole values."""
        alpha = self.options.alpha
        return (alpha * self._pattern + (1 - alpha) * inputs.float()).round().to(inputs.dtype)
