"""Images that turn."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from auditor.plugins import Drift, Options, option


class RotateOptions(Options):
    """What a job file may write for `rotate`."""

    interpolation: Literal["nearest", "bilinear"] = option(
        "nearest", "how a pixel is made that comes to lie between pixels"
    )
    fill: int = option(0, "the value of what turns into the image from outside", ge=0, le=255)


class Rotate(Drift):
    """Turns images by the amount, in degrees, counter-clockwise; a negative amount turns them clockwise.

    The drift of angle of "On the Permanence of Backdoors in Evolving Models" (arXiv:2206.04677, §5), there of MNIST;
    by torchvision's `rotate`, about the centre, the corners cut off. Each channel is turned by itself as an image of
    Pillow's, which counts positions in fixed point: the same result on every machine, where a product of matrices
    need not round alike.
    """

    name = "rotate"
    Options = RotateOptions
    options: RotateOptions

    def apply(
        self, samples: torch.Tensor, labels: torch.Tensor, amount: float, part: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Turn every image by `amount` degrees from how it was at the start."""
        if amount == 0 or not len(samples):
            return samples.clone(), labels.clone()
        planes = samples.flatten(0, 1).cpu()
        turned = torch.from_numpy(np.stack([self._turned(plane, amount) for plane in planes]))
        return turned.reshape(samples.shape).to(samples.device), labels.clone()

    def _turned(self, plane: torch.Tensor, degrees: float) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
        image = F.to_pil_image(plane, mode="L")
        mode = InterpolationMode(self.options.interpolation)
        return np.asarray(F.rotate(image, degrees, interpolation=mode, fill=self.options.fill))
