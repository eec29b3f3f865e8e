"""Cutting a sample into the parts that are masked together."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Segments = NDArray[np.int64]
"""For each place of a sample the number of its segment, 0 to their count − 1; −1 where nothing is ever masked."""


def grid(sample: torch.Tensor, cells: int) -> Segments:
    """[H, W] of an image [C, H, W]: rectangles, `cells` in each direction, or one a pixel if there are fewer."""
    height, width = sample.shape[-2:]
    rows, columns = (np.arange(side) * cells // side for side in (height, width))
    return _numbered(rows[:, None] * cells + columns)


def superpixels(sample: torch.Tensor) -> Segments:
    """[H, W] of a uint8 image [C, H, W]: what quickshift finds to be alike (Vedaldi and Soatto, 2008).

    The parameters are those of the authors of Zest, who hand it colours from 0 to 255; without colours it takes
    the first channel for all three.
    """
    from skimage.segmentation import quickshift

    colours = sample if len(sample) == 3 else sample[:1].expand(3, -1, -1)
    image: NDArray[Any] = colours.permute(1, 2, 0).numpy().astype(np.float64)
    return _numbered(quickshift(image, kernel_size=4, ratio=0.2, max_dist=200))


def words(sample: torch.Tensor, most: int) -> Segments:
    """[L] of a text of token numbers [L], of which 0 is padding: one a token, or runs of tokens where it is long."""
    places = np.flatnonzero(sample.numpy())
    segments = np.full(len(sample), -1, dtype=np.int64)
    count = min(most, len(places))
    segments[places] = np.arange(len(places)) * count // max(1, len(places))
    return segments


def count(segments: Segments) -> int:
    """How many segments there are."""
    return int(segments.max()) + 1


def _numbered(labels: NDArray[Any]) -> Segments:
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int64)
