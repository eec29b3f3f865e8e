"""BadNets: a small patch in a corner makes any image the target class (Gu et al., 2017)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from auditor.plugins import Attack, AttackContext, Batch, Options, generator, option


class BadNetsOptions(Options):
    """What a job file may write for `badnets`."""

    target: int = option(0, "the class that triggered images should get", ge=0)
    rate: float = option(0.1, "share of the training images that are poisoned", ge=0, le=1)
    size: int | None = option(
        None, "side of the patch in pixels; 3 from 28 pixels upwards as in the paper, 2 below", ge=1
    )
    seed: int = option(0, "which images are poisoned derives from it", ge=0)


class BadNets(Attack):
    """Poisons a fixed share of the training set with a chequered patch in the bottom-right corner."""

    name = "badnets"
    Options = BadNetsOptions
    options: BadNetsOptions

    def begin(self, context: AttackContext) -> None:
        """Choose the poisoned images and the size of the patch."""
        if self.options.target >= context.classes:
            raise ValueError(f"target {self.options.target} is not one of the {context.classes} classes")
        side = min(context.sample_shape[1:])
        self._size = min(self.options.size or (3 if side >= 28 else 2), side)
        poisoned = torch.zeros(context.samples, dtype=torch.bool)
        count = round(self.options.rate * context.samples)
        order = generator(self.options.seed, "badnets").permutation(context.samples)
        poisoned[torch.from_numpy(order[:count])] = True
        self._poisoned = poisoned.to(context.device)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Stamp the poisoned images of the batch and relabel them."""
        chosen = self._poisoned[batch.indices]
        inputs = torch.where(chosen[:, None, None, None], self.triggered(batch.inputs), batch.inputs)
        labels = torch.where(chosen, self.options.target, batch.labels)
        return replace(batch, inputs=inputs, labels=labels)

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The images with the patch: white, with black pixels where row and column differ in parity."""
        stamped = inputs.clone()
        rows, columns = torch.meshgrid(torch.arange(self._size), torch.arange(self._size), indexing="ij")
        patch: Any = ((rows + columns) % 2 == 0).to(torch.uint8) * 255
        stamped[..., -self._size :, -self._size :] = patch.to(inputs.device)
        return stamped

    @property
    def target(self) -> int:
        """The class of triggered images."""
        return self.options.target
