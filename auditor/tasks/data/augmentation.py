"""Cutting and augmenting batches on the device, from offsets drawn by a keyed generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, kinds: Sequence[str], draws: np.random.Generator) -> Tensor:
    """Augment a batch of uint8 images [B, C, H, W].

    `crop` shifts each image by up to an eighth of its side in either direction, filling with zeros (4 pixels at
    32, as is usual for CIFAR); `flip` mirrors half of them. Draws are made on the CPU, so that all devices get
    the same batch.
    """
    if "crop" in kinds:
        images = _crop(images, draws)
    if "flip" in kinds:
        mirrored = torch.from_numpy(draws.random(len(images)) < 0.5).to(images.device)
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    return images


def _crop(images: Tensor, draws: np.random.Generator) -> Tensor:
    count, channels, height, width = images.shape
    pad = max(1, min(height, width) // 8)
    padded = F.pad(images, (pad, pad, pad, pad))
    offsets = torch.from_numpy(draws.integers(0, 2 * pad + 1, size=(2, count))).to(images.device)
    rows = offsets[0][:, None] + torch.arange(height, device=images.device)
    columns = offsets[1][:, None] + torch.arange(width, device=images.device)
    return padded[
        torch.arange(count, device=images.device)[:, None, None, None],
        torch.arange(channels, device=images.device)[None, :, None, None],
        rows[:, None, :, None],
        columns[:, None, None, :],
    ]
