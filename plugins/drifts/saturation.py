"""Images whose colours become stronger, or fade."""

from __future__ import annotations

import torch
from torchvision.transforms import functional as F

from auditor.plugins import Drift, DriftContext

from .colours import piecewise, require_colours


class Saturation(Drift):
    """Moves colours away from gray by the factor 1 + amount: a positive amount strengthens them, a negative one fades.

    The drift of saturation of "On the Permanence of Backdoors in Evolving Models" (arXiv:2206.04677, §5), there of
    CIFAR-10; by torchvision's `adjust_saturation` with the factor 1 + amount. An amount of -1 makes everything gray;
    less than that makes no sense. Gray images have nothing to change and are refused.
    """

    name = "saturation"

    def begin(self, context: DriftContext) -> None:
        """See that there are colours."""
        super().begin(context)
        require_colours(self.name, context)

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Every image, its colours stronger by the share `amount`."""
        if amount < -1:
            raise ValueError(f"saturation cannot fall by {-amount:g} of what it was; use amounts of -1 (gray) or more")
        if amount == 0:
            return samples.clone(), labels.clone()
        return piecewise(lambda images: F.adjust_saturation(images, 1 + amount), samples), labels.clone()
