"""Centred kernel alignment: how alike two models arrange the same samples (Kornblith et al., 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from auditor.plugins import Metric, MetricContext, NoiseFloor, Options, ReturnedModel, option


class CKAOptions(Options):
    """What a job file may write for `cka`."""

    samples: int = option(512, "how many held-out samples are compared", ge=4)
    batch: int = option(64, "size of the minibatches that the estimate averages over; at least 4", ge=4)


@dataclass(frozen=True)
class Kernels:
    """Gram matrices with zero diagonal, float64 [minibatches, b, b], and the mean of HSIC₁(K, K)."""

    grams: torch.Tensor
    self_similarity: float


class LinearCKA(Metric[Kernels]):
    """1 − linear CKA of what enters the last linear layer, by the unbiased minibatch estimator.

    The estimator is that of Nguyen, Raghu and Kornblith (2021), section 2: HSIC₁ of each minibatch, averaged
    over minibatches before the ratio. HSIC₁ is the unbiased estimator of Song et al. (2012).
    """

    name = "cka"
    noise = NoiseFloor(per_step=1e-9, growth=3, early=1000, most=0.2)
    Options = CKAOptions
    options: CKAOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples, cut to whole minibatches."""
        available = min(self.options.samples, len(context.probe))
        if available < 4:
            raise ValueError(f"CKA needs at least 4 held-out samples; there are {available}")
        self._batch = min(self.options.batch, available)
        self._probe = context.probe[: available // self._batch * self._batch]

    def represent(self, model: ReturnedModel) -> Kernels:
        """The Gram matrix of every minibatch."""
        features = model.features(self._probe).double()
        batches = features.reshape(-1, self._batch, features.shape[1])
        # Centring changes nothing in exact arithmetic and keeps large common offsets from costing digits.
        batches = batches - batches.mean(dim=1, keepdim=True)
        grams = batches @ batches.transpose(1, 2)
        grams.diagonal(dim1=1, dim2=2).zero_()
        return Kernels(grams, _hsic(grams, grams))

    def distance(self, first: Kernels, second: Kernels) -> float:
        """1 − CKA; 0 for representations that are alike up to rotation and scale."""
        if first is second or torch.equal(first.grams, second.grams):
            return 0.0
        if not first.grams.any() or not second.grams.any():
            return 1.0  # one gives the same features for all samples: it has nothing in common with the other
        scale = first.self_similarity * second.self_similarity
        if scale <= 0:
            raise ValueError("the estimate for a model and itself is not positive, so that CKA is not defined")
        return max(0.0, 1 - _hsic(first.grams, second.grams) / float(scale**0.5))


def _hsic(k: torch.Tensor, l: torch.Tensor) -> float:  # noqa: E741 - the papers' letters
    """The mean over minibatches of the unbiased HSIC₁ of Gram matrices with zero diagonal."""
    b = k.shape[-1]
    trace = (k * l).sum(dim=(1, 2))
    product = k.sum(dim=(1, 2)) * l.sum(dim=(1, 2)) / ((b - 1) * (b - 2))
    cross = (k.sum(dim=2) * l.sum(dim=2)).sum(dim=1) * 2 / (b - 2)
    return float(((trace + product - cross) / (b * (b - 3))).mean())
