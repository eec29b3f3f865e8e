"""Fine-Pruning: the channels that clean data leave idle are where a backdoor can hide."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch

from auditor.plugins import Inspection, Inspector, MetricContext, Options, ReturnedModel, option

from .anomaly import anomaly_indices

AGREEMENT = 0.98
"""Of the answers of a model with those of its last layer computed here; where two classes tie, rounding decides."""
POINTS = 64
"""Of the curve, at most."""


class FinePruningOptions(Options):
    """What can be set for `fine_pruning`."""

    samples: int = option(512, "how many held-out images are answered", ge=1)
    loss: float = option(0.04, "the share of answers that pruning may change", ge=0, lt=1)
    threshold: float = option(10.0, "a class that idle channels favour by more than this is suspicious", gt=0)


class FinePruning(Inspector):
    """Prunes the channels that clean images leave idle, and says whether these all speak for one class.

    Liu, Dolan-Gavitt and Garg, "Fine-Pruning: defending against backdooring attacks on deep neural networks" (RAID
    2018), prune the channels of the last convolution in the order of their mean activation on clean data, the most
    dormant first, until accuracy falls by about 4 %. That is a remedy, and as such it costs accuracy: this is its first
    half, as a look at a model. Channels are what enters the last linear layer, which in the models of auditor are
    those of the last convolution. Accuracy is the share of held-out images that are still answered as by the whole
    model, as an inspector knows no labels. `details` holds this curve as pairs [share of channels pruned, share of
    answers kept]; the `prunable` share, within the allowed loss; and for each class its `pull`: the sum over the
    prunable channels of the amounts by which their weight for the class exceeds the median over the classes.

    The score is the anomaly index of the largest pull among the classes, |pull − median| / (1.4826 · median absolute
    deviation). What it means: channels that clean data hardly use nevertheless speak for one class, as those of a
    trigger would. What it does not mean: without the trigger nobody sees what these channels do with it. Small models
    leave few channels idle and their pulls scatter: three clean models of digits had scores of 2 to 7, where six with
    backdoors had 1 to 9. So the threshold is high; a score below it says nothing in favour of a model, and the curve
    says how much a pruning would cost.
    """

    name = "fine_pruning"
    Options = FinePruningOptions
    options: FinePruningOptions
    example: ClassVar = {"samples": 64}

    def begin(self, context: MetricContext) -> None:
        """Keep the images."""
        super().begin(context)
        if context.classes < 3:
            raise ValueError(
                f"there are {context.classes} classes, and what speaks for one speaks against the other; "
                "fine_pruning needs 3 or more"
            )
        self._images = context.probe[: self.options.samples]

    def inspect(self, model: ReturnedModel) -> Inspection:
        """Prune, and look at what was pruned.

        Raises:
            ValueError: the model has no last linear layer that decides, or its activations are not finite.
        """
        features = model.features(self._images).double()
        weights, bias = _last_layer(model)
        if not (bool(torch.isfinite(features).all()) and bool(torch.isfinite(weights).all())):
            raise ValueError("the model's activations or weights are not finite")
        answers = _answers(features, weights, bias)
        same = answers == model.logits(self._images).argmax(1)
        if float(same.double().mean()) < AGREEMENT:
            raise ValueError("the model's answers are not those of its last linear layer")
        idle_first = features.abs().mean(0).argsort(stable=True)
        curve, idle = self._prune(features, weights, bias, answers, idle_first)
        above = weights - weights.quantile(0.5, dim=0)
        pulls = [float(one) for one in above[:, idle_first[:idle]].clamp(min=0).sum(1)]
        indices = anomaly_indices(pulls)
        suspected = int(np.argmax(pulls))
        return Inspection(
            score=indices[suspected],
            threshold=self.options.threshold,
            details={
                "suspected": suspected,
                "prunable": idle / len(idle_first),
                "curve": curve,
                "pulls": pulls,
                "indices": indices,
            },
        )

    def _prune(
        self,
        features: torch.Tensor,
        weights: torch.Tensor,
        bias: torch.Tensor,
        answers: torch.Tensor,
        order: torch.Tensor,
    ) -> tuple[list[list[float]], int]:
        """The curve, and how many channels go before more answers change than may."""
        channels = len(order)
        kept, curve, idle, allowed = torch.ones_like(features[0]), [], 0, True
        for count in range(0, channels, math.ceil(channels / POINTS)):
            kept[order[:count]] = 0
            same = float((_answers(features * kept, weights, bias) == answers).double().mean())
            curve.append([count / channels, same])
            allowed = allowed and same >= 1 - self.options.loss
            idle = count if allowed else idle
        return curve, idle


def _last_layer(model: ReturnedModel) -> tuple[torch.Tensor, torch.Tensor]:
    layers = [module for module in model.differentiable().modules() if isinstance(module, torch.nn.Linear)]
    if not layers:
        raise ValueError("the model has no linear layer")
    weights = layers[-1].weight.double().cpu()
    bias = weights.new_zeros(len(weights)) if layers[-1].bias is None else layers[-1].bias.double().cpu()
    return weights, bias


def _answers(features: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return (features @ weights.T + bias).argmax(1)
