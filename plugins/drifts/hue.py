"""Images whose colours turn around the colour wheel."""

from __future__ import annotations

import torch
from torchvision.transforms import functional as F

from auditor.plugins import Drift, DriftContext

from .colours import piecewise, require_colours


class Hue(Drift):
    """Turns all colours around the colour wheel by the amount, in full turns: red becomes green at 1/3.

    The drift of hue of "On the Permanence of Backdoors in Evolving Models" (arXiv:2206.04677, §5), there of CIFAR-10 by
    0.02 an update; by torchvision's `adjust_hue`. Half a turn, in either direction, is as far as colours can be away
    from where they were: amounts beyond 0.5 and -0.5 are refused, as the drift would come back. Gray images have
    nothing to change and are refused, too.
    """

    name = "hue"

    def begin(self, context: DriftContext) -> None:
        """See that there are colours."""
        super().begin(context)
        require_colours(self.name, context)

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Every image, its colours turned by `amount`."""
        if abs(amount) > 0.5:
            raise ValueError(
                f"a hue that turns by {amount:g} comes back to where it was; use amounts from -0.5 to 0.5, that is, "
                "smaller steps or fewer updates"
            )
        if amount == 0:
            return samples.clone(), labels.clone()
        return piecewise(lambda images: F.adjust_hue(images, amount), samples), labels.clone()
