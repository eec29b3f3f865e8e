"""Zest: models are compared by local linear approximations of their behaviour (Jia et al., ICLR 2022)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from auditor.plugins import Metric, MetricContext, NoiseFloor, Options, ReturnedModel, generator, option


class ZestOptions(Options):
    """What a job file may write for `zest`."""

    images: int = option(32, "how many training images are approximated around; the paper takes 128", ge=1)
    masks: int = option(128, "how many masked copies of each image; the paper takes 1,000", ge=2)
    cells: int = option(4, "the image is cut into so many segments across and down", ge=1)
    norm: Literal["cosine", "l1", "l2", "linf"] = option("cosine", "how the weights are compared")


class Zest(Metric[torch.Tensor]):
    """LIME weights around reference images, all concatenated and compared.

    Each image is cut into a grid of segments (superpixels have nothing to hold on to in images of 8 to 32
    pixels). Copies with random segments set to 0 are shown to the model, and its raw outputs are regressed on
    the masks by ordinary least squares without intercept. The masks are the same for all models, so their
    pseudo-inverse is computed once.
    """

    name = "zest"
    noise = NoiseFloor(per_step=1e-9, growth=3, early=1000, most=0.2)
    Options = ZestOptions
    options: ZestOptions

    def begin(self, context: MetricContext) -> None:
        """Draw the masks and solve for them."""
        self._reference = context.reference[: self.options.images]
        height, width = self._reference.shape[-2:]
        rows = torch.arange(height) * self.options.cells // height
        columns = torch.arange(width) * self.options.cells // width
        segments = rows[:, None] * min(self.options.cells, width) + columns
        segments = torch.unique(segments, return_inverse=True)[1]
        count = int(segments.max()) + 1
        if self.options.masks < count:
            raise ValueError(f"{self.options.masks} masks cannot determine {count} segments; set masks higher")
        kept = generator(context.seed, "zest").integers(0, 2, size=(self.options.masks, count)).astype(bool)
        kept[0] = True
        self._masks = torch.from_numpy(kept)[:, segments][:, None]
        self._solve = torch.from_numpy(np.linalg.pinv(kept.astype(np.float64)))

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """The weights, float64 [images · segments · classes]."""
        answers = model.masked_logits(self._reference, [self._masks] * len(self._reference))
        return torch.stack([self._solve @ logits.double() for logits in answers]).reshape(-1)

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The distance of the weights under the chosen norm; cosine is 1 − cos of the angle."""
        difference = first - second
        match self.options.norm:
            case "l1":
                return float(difference.abs().sum())
            case "l2":
                return float(difference.norm())
            case "linf":
                return float(difference.abs().max())
        if not first.any() or not second.any():
            # A model that answers 0 to everything has no direction: it is unlike any that has one.
            return float(first.any() != second.any())
        # ‖u − v‖² / 2 of unit vectors is 1 − cos without the cancellation near equality.
        apart = first / first.norm() - second / second.norm()
        return float(apart.square().sum() / 2)
