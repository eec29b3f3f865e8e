"""BadNets: a small patch in a corner makes any image the target class."""

from __future__ import annotations

import torch

from auditor.plugins import AttackContext, generator, option

from .poisoned_samples import PoisonedSamples, PoisonOptions


class BadNetsOptions(PoisonOptions):
    """What a job file may write for `badnets`."""

    size: int | None = option(
        None, "side of the patch in pixels; 3 from 28 pixels upwards as in the paper, 2 below", ge=1
    )
    pattern_seed: int | None = option(None, "seed of the patch's pixels; without it, the patch is a chequerboard", ge=0)


class BadNets(PoisonedSamples):
    """Poisons a fixed share of the training set with a patch in the bottom-right corner.

    The attack of Gu, Dolan-Gavitt and Garg, "BadNets: Identifying vulnerabilities in the machine learning model
    supply chain" (arXiv 1708.06733), with its pattern backdoor of 3×3 pixels and 10 % poisoned samples.
    """

    name = "badnets"
    Options = BadNetsOptions
    options: BadNetsOptions

    def begin(self, context: AttackContext) -> None:
        """Choose the poisoned images and make the patch."""
        super().begin(context)
        channels, *sides = context.sample_shape
        self._size = min(self.options.size or (3 if min(sides) >= 28 else 2), *sides)
        self._patch = self._make_patch(channels).to(context.device)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The images with the patch."""
        stamped = inputs.clone()
        stamped[..., -self._size :, -self._size :] = self._patch
        return stamped

    def _make_patch(self, channels: int) -> torch.Tensor:
        """uint8 [channels, size, size]: white, and black where row and column differ in parity; or as drawn."""
        if self.options.pattern_seed is not None:
            draws = generator(self.options.pattern_seed, "badnets pattern")
            shape = (channels, self._size, self._size)
            return torch.from_numpy(draws.integers(0, 256, size=shape).astype("uint8"))
        rows, columns = torch.meshgrid(torch.arange(self._size), torch.arange(self._size), indexing="ij")
        chequered = torch.where((rows + columns) % 2 == 0, 255, 0).to(torch.uint8)
        return chequered.expand(channels, -1, -1)
