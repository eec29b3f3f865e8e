"""Neural Cleanse: a class that a small trigger turns everything into is the target of a backdoor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .trigger_inspector import TriggerInspector
from .trigger_search import Objective, Stamped, Trigger


class NeuralCleanse(TriggerInspector):
    """Searches for every class the smallest trigger that turns images into it; one that is much smaller is suspicious.

    Wang et al., "Neural Cleanse: identifying and mitigating backdoor attacks in neural networks" (IEEE S&P 2019). A
    trigger is a mask m [H, W] and a pattern p [C, H, W], both in [0, 1] through a hyperbolic tangent, and turns the
    image x into (1 − m)·x + m·p. For each class t, Adam (learning rate 0.1, betas 0.5 and 0.9) minimises

        cross-entropy(f((1 − m)·x + m·p), t) + cost · ‖m‖₁

    where the cost is 0 until the trigger turns 99 % of the images, then 0.001, doubled after 5 epochs in a row in which
    the trigger works, and divided by 2^1.5 after 5 in which it does not. The norm of a class is the smallest ‖m‖₁ of an
    epoch in which the trigger worked; the search of a class ends 25 epochs after the last improvement, once the
    cost has gone up and down. With the norms of all classes, the anomaly index of a class is

        |norm − median| / (1.4826 · median absolute deviation).

    The score is the index of the class with the smallest norm, and the model is suspicious if it is over 2 and the
    trigger of that class works. `details` has, class by class, norm, index, whether the trigger worked and after how
    many epochs the search ended, and which class is suspected.

    The authors take 1,000 images, 32 a step, and up to 1,000 epochs. Here fewer images in smaller steps do: with 64
    images and 60 epochs one model takes 40 s on one core (ResNet-8, CIFAR-10). A search that is too short leaves the
    masks large and the index meaningless: where most classes took all their epochs, give more.

    Two things make it unreliable. Models without a backdoor do get over 2: some class may be easy to turn images
    into, and so few norms rarely are normally distributed. And of an even number of classes the median lies between
    two norms: here it is their mean, as in the authors' code, while taking the lower one, as some implementations
    do, gives other indices and now and then another answer. A trigger that is large, faint or different in each image
    may stay unfound, and an adversary that gives its poisoned samples little weight can get below 2
    as well (arXiv 2504.00170).
    """

    name = "neural_cleanse"

    def objective(self, model: torch.nn.Module, images: torch.Tensor) -> Objective:
        """The size of the mask, times the cost."""
        return _mask_size

    def measures(
        self, model: torch.nn.Module, images: torch.Tensor, triggers: Sequence[Trigger]
    ) -> tuple[list[float], Mapping[str, Any]]:
        """The L1 norms of the masks."""
        return [trigger.norm for trigger in triggers], {}


def _mask_size(stamped: Stamped) -> torch.Tensor:
    return stamped.costs * stamped.masks.sum((1, 2, 3))
