"""Zest: models are compared by local linear approximations of their behaviour (Jia et al., ICLR 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import Metric, MetricContext, Options, ReturnedModel, generator, option

from . import segmentation
from .segmentation import Segments, count


class ZestOptions(Options):
    """What a job file may write for `zest`."""

    images: int = option(32, "how many training samples it approximates the model around; the paper takes 128", ge=1)
    masks: int = option(128, "how many masked copies of each sample; the paper takes 1,000", ge=2)
    segments: Literal["grid", "superpixels"] = option(
        "grid", "how images are cut: into rectangles, or into similar regions as in the paper"
    )
    cells: int = option(4, "with a grid, how many segments there are across and down", ge=1)
    words: int = option(16, "maximum number of segments that texts are cut into", ge=1)
    norm: Literal["cosine", "l1", "l2", "linf"] = option("cosine", "how the weights are compared")


class Zest(Metric[torch.Tensor]):
    """LIME weights around reference samples, all concatenated and compared.

    Each sample is cut into segments: images into a grid or into superpixels, texts into tokens or, where they are
    long, into runs of tokens. Copies with random segments masked, the first with none, are shown to the model:
    masked pixels are 0 after normalisation, masked tokens are padding. For the masks D, one row a copy, and the raw
    outputs Y, one column a class, the weights are those of ordinary least squares without intercept,

        W = (DᵀD)⁺ DᵀY.

    The distance of two models is that of the weights W of all samples, concatenated: l1, l2 or l∞ of their
    difference, or 1 − the cosine of their angle.

    This is the definition of the authors' code. What it does beside is left out: matching the classes of models
    with different labels, as those of an audit have the same. Samples cut into equally many segments share their
    masks, and all models do, so that each pseudo-inverse is computed once.
    """

    name = "zest"
    tasks = frozenset({"vision", "text"})
    spread = 0.45
    Options = ZestOptions
    options: ZestOptions

    def begin(self, context: MetricContext) -> None:
        """Cut the samples, draw the masks and solve for them."""
        texts = "text" in (context.task, *context.akin)
        if texts and self.options.segments == "superpixels":
            raise ValueError(
                "superpixels are parts of images; texts are cut into words, of which `words` says how many"
            )
        cut = [(sample, self._cut(sample, texts)) for sample in context.reference[: self.options.images]]
        cut = [(sample, segments) for sample, segments in cut if count(segments)]  # a text may be empty
        counts = {count(segments) for _, segments in cut}
        if max(counts, default=0) < 2:
            size = "×".join(str(side) for side in context.reference.shape[1:])
            raise ValueError(f"samples of {size} are not cut into segments; take a grid, or more cells or words")
        self._reference = torch.stack([sample for sample, _ in cut])
        self._segments = [segments for _, segments in cut]
        self._kept = {number: self._draw(context.seed, number) for number in counts}
        self._solve = {number: torch.from_numpy(np.linalg.pinv(kept)) for number, kept in self._kept.items()}

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """The weights, float64 [segments of all samples · classes]."""
        answers = model.masked_logits(self._reference, self._masks())
        weights = [
            self._solve[count(segments)] @ logits.double()
            for segments, logits in zip(self._segments, answers, strict=True)
        ]
        return torch.cat([weight.reshape(-1) for weight in weights])

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The distance of the weights under the chosen norm."""
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

    def _cut(self, sample: torch.Tensor, texts: bool) -> Segments:
        if texts:
            return segmentation.words(sample, self.options.words)
        if self.options.segments == "superpixels":
            return segmentation.superpixels(sample)
        return segmentation.grid(sample, self.options.cells)

    def _draw(self, seed: int, number: int) -> NDArray[np.float64]:
        """Which segments each masked copy keeps, [masks, segments] of 0 and 1."""
        kept = generator(seed, "zest", number).integers(0, 2, size=(self.options.masks, number))
        kept[0] = 1
        if np.linalg.matrix_rank(kept) < number:
            raise ValueError(f"{self.options.masks} masks cannot determine {number} segments; set masks higher")
        return kept.astype(np.float64)

    def _masks(self) -> Iterator[torch.Tensor]:
        """For each sample its masks, bool [masks, 1, H, W] of images and [masks, L] of texts."""
        for segments in self._segments:
            kept: NDArray[Any] = self._kept[count(segments)] > 0
            never = np.ones((len(kept), 1), dtype=bool)  # what number −1 finds: places that are never masked
            masks = torch.from_numpy(np.concatenate([kept, never], axis=1)[:, segments])
            yield masks[:, None] if segments.ndim == 2 else masks
