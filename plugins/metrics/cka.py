"""Centred kernel alignment: how alike two models arrange the same samples (Kornblith et al., 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import Comparison, Metric, MetricContext, Options, ReturnedModel, option

from .remarks import most_in


class CKAOptions(Options):
    """What a job file may write for `cka`."""

    samples: int = option(512, "how many held-out samples are compared", ge=4)
    batch: int = option(64, "size of the minibatches that the estimate averages over; at least 4", ge=4)
    layers: tuple[str, ...] = option(
        (), "the modules whose outputs are compared; by default, the input of the last linear layer"
    )


@dataclass(frozen=True)
class Kernels:
    """Gram matrices with zero diagonal, float64 [layers, minibatches, b, b], and HSIC₁(K, K), float64 [layers]."""

    grams: torch.Tensor
    self_similarity: torch.Tensor


class LinearCKA(Metric[Kernels]):
    """1 − linear CKA by the unbiased minibatch estimator, the mean over the chosen layers.

    For a layer with outputs X and Y [b, D] of two models in a minibatch of b samples, K = XXᵀ and L = YYᵀ with their
    diagonals set to 0, and

        HSIC₁(K, L) = [tr(KL) + 1ᵀK1·1ᵀL1 / ((b−1)(b−2)) − 2·1ᵀKL1 / (b−2)] / (b(b−3))
        CKA = mean HSIC₁(K, L) ÷ √(mean HSIC₁(K, K) · mean HSIC₁(L, L))

    with means over all minibatches. The estimator is that of Nguyen, Raghu and Kornblith (2021), section 2; HSIC₁ is
    that of Song et al. (2012). Outputs with more dimensions than two are flattened.
    """

    name = "cka"
    tasks = frozenset({"vision", "text", "python"})
    spread = 0.5
    Options = CKAOptions
    options: CKAOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples, cut to whole minibatches."""
        available = min(self.options.samples, len(context.probe))
        if available < 4:
            raise ValueError(f"CKA needs at least 4 held-out samples; there are {available}")
        self._batch = min(self.options.batch, available)
        self._probe = context.probe[: available // self._batch * self._batch]
        for layer in self.options.layers:
            if layer not in context.model.layers:
                near = get_close_matches(layer, context.model.layers, 1)
                raise ValueError(
                    f"the model has no layer {layer!r} with an output for each sample."
                    + (f" Did you mean {near[0]!r}?" if near else "")
                    + f" It has {', '.join(context.model.layers)}"
                )

    def represent(self, model: ReturnedModel) -> Kernels:
        """The Gram matrices of every minibatch."""
        if self.options.layers:
            parts = torch.split(self._probe, self._batch)
            minibatches = [_grams(model.activations(part, self.options.layers)) for part in parts]
        else:
            minibatches = [_grams([part]) for part in torch.split(model.features(self._probe), self._batch)]
        grams = torch.stack(minibatches, dim=1)
        if not grams.isfinite().all():
            raise ValueError("the model's outputs are too large to be compared")
        similarity = _hsic(grams, grams)
        if (grams.flatten(1).any(dim=1) & (similarity <= 0)).any():
            raise ValueError("the estimate for the model and itself is not positive, so that CKA is not defined")
        return Kernels(grams, similarity)

    def distance(self, first: Kernels, second: Kernels) -> float:
        """The mean over layers of 1 − CKA; 0 for representations that are alike up to rotation and scale."""
        return float(_apart(first, second).mean())

    def compare(self, representations: Sequence[Kernels]) -> Comparison:
        """All pairs; with several layers, also those in which each model stands out."""
        count = len(representations)
        distances = np.zeros((max(1, len(self.options.layers)), count, count))
        for row, first in enumerate(representations):
            for column, second in enumerate(representations[:row]):
                distances[:, row, column] = distances[:, column, row] = _apart(first, second)
        remarks = most_in(dict(zip(self.options.layers, distances, strict=True))) if len(distances) > 1 else ()
        return Comparison(distances.mean(axis=0).tolist(), remarks)


def _grams(outputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """The Gram matrix of a minibatch for each layer, float64 [layers, b, b]."""
    grams = []
    for output in outputs:
        # Centring changes nothing in exact arithmetic and keeps large common offsets from costing digits.
        rows = output.double()
        rows = rows - rows.mean(dim=0)
        grams.append((rows @ rows.T).fill_diagonal_(0))
    return torch.stack(grams)


def _apart(first: Kernels, second: Kernels) -> NDArray[np.float64]:
    """1 − CKA of each layer."""
    scale = first.self_similarity.sqrt() * second.self_similarity.sqrt()
    alike = _hsic(first.grams, second.grams) / scale
    # Where one gives the same output for all samples, it has nothing in common with one that does not.
    alike = torch.where(scale > 0, alike, 0.0)
    equal = (first.grams == second.grams).flatten(1).all(dim=1)
    apart: NDArray[np.float64] = torch.where(equal, 0.0, (1 - alike).clamp_min(0)).numpy()
    return apart


def _hsic(k: torch.Tensor, l: torch.Tensor) -> torch.Tensor:  # noqa: E741 - the papers' letters
    """The mean over minibatches of the unbiased HSIC₁ of Gram matrices [layers, minibatches, b, b]."""
    b = k.shape[-1]
    trace = (k * l).sum(dim=(-2, -1))
    product = k.sum(dim=(-2, -1)) * l.sum(dim=(-2, -1)) / ((b - 1) * (b - 2))
    cross = (k.sum(dim=-1) * l.sum(dim=-1)).sum(dim=-1) * 2 / (b - 2)
    return ((trace + product - cross) / (b * (b - 3))).mean(dim=-1)
