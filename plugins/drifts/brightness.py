"""Images that become brighter, or darker."""

from __future__ import annotations

import torch
from torchvision.transforms import functional as F

from auditor.plugins import Drift, DriftContext

from .colours import piecewise


class Brightness(Drift):
    """Multiplies every pixel by 1 + amount: a positive amount brightens images, a negative one darkens them.

    The drift of brightness of "On the Permanence of Backdoors in Evolving Models" (arXiv:2206.04677, §5), there of
    CIFAR-10; by torchvision's `adjust_brightness` with the factor 1 + amount. Values over 255 become 255, and an
    amount of -1 makes everything black; less than that makes no sense.
    """

    name = "brightness"

    def begin(self, context: DriftContext) -> None:
        """See that the images are such as torchvision's function takes."""
        super().begin(context)
        if context.shape[0] not in (1, 3):
            raise ValueError(
                f"the images have {context.shape[0]} channels; brightness takes gray images and those of red, green "
                "and blue"
            )

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Every image, brighter by the share `amount`."""
        if amount < -1:
            raise ValueError(f"brightness cannot fall by {-amount:g} of what it was; use amounts of -1 (black) or more")
        if amount == 0:
            return samples.clone(), labels.clone()
        return piecewise(lambda images: F.adjust_brightness(images, 1 + amount), samples), labels.clone()
