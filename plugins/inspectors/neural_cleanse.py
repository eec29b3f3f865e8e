"""Neural Cleanse: a class that a small trigger turns everything into is the target of a backdoor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from auditor.plugins import Inspection, Inspector, MetricContext, Options, ReturnedModel, generator, option

from .trigger_search import Schedule, Trigger, search

CONSISTENCY = 1.4826
"""Times the median absolute deviation is the standard deviation, of normally distributed values."""
THRESHOLD = 2.0
"""Of the anomaly index; of normally distributed norms, 2.3 % are so far below the median."""
SMALLEST_SPREAD = 1e-3
"""Of the norms, as a share of their median: norms that agree to the last digits would make any index infinite."""


class NeuralCleanseOptions(Options):
    """What can be set for `neural_cleanse`."""

    epochs: int = option(100, "maximum passes over the images; a class stops earlier if nothing changes", ge=1)
    samples: int = option(128, "how many held-out images triggers are searched on", ge=1)
    batch: int = option(8, "images in one step; fewer make more steps of the same work", ge=1)
    success: float = option(0.99, "the share of images that a trigger has to turn", gt=0, le=1)
    cost: float = option(1e-3, "the first weight of the mask's size in the loss", gt=0)
    patience: int = option(5, "epochs in a row after which the weight is changed", ge=1)
    seed: int = option(0, "seed for the initial masks and patterns", ge=0)


class NeuralCleanse(Inspector):
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
    Options = NeuralCleanseOptions
    options: NeuralCleanseOptions
    example: ClassVar = {"epochs": 5, "samples": 32}

    def begin(self, context: MetricContext) -> None:
        """Keep the images."""
        super().begin(context)
        if context.classes < 3:
            raise ValueError(
                f"there are {context.classes} classes, and their norms are always equally far from the median; "
                "neural_cleanse needs 3 or more"
            )
        self._images = context.probe[: self.options.samples]
        self._classes = context.classes
        self._seed = context.seed

    def inspect(self, model: ReturnedModel) -> Inspection:
        """Search the triggers, and compare the sizes of their masks.

        Raises:
            ValueError: the model's outputs are not finite.
        """
        given = self.options
        module = model.differentiable()
        device = next(module.parameters()).device
        triggers = self._start(device)
        schedule = Schedule(given.epochs, given.batch, given.success, given.cost, given.patience)
        search(module, self._images, triggers, schedule, self._order)
        norms = [trigger.norm for trigger in triggers]
        indices = anomaly_indices(norms)
        suspected = int(np.argmin(norms))
        return Inspection(
            score=indices[suspected],
            threshold=THRESHOLD,
            confirmed=triggers[suspected].reached,
            details={
                "suspected": suspected,
                "norms": norms,
                "indices": indices,
                "reached": [trigger.reached for trigger in triggers],
                "epochs": [trigger.epochs for trigger in triggers],
            },
        )

    def _start(self, device: torch.device) -> list[Trigger]:
        """Masks and patterns drawn uniformly from [0, 1], the same ones for every model."""
        channels, height, width = self._images.shape[1:]
        draws = generator(self._seed, "neural_cleanse start", self.options.seed)
        # At 0 and 1 the hyperbolic tangent would need infinite arguments.
        drawn = draws.uniform(1e-3, 1 - 1e-3, size=(self._classes, 1 + channels, height, width))
        raw = torch.from_numpy(np.arctanh(2 * drawn - 1)).float().to(device)
        return [Trigger(mask=one[:1].clone(), pattern=one[1:].clone()) for one in raw]

    def _order(self, epoch: int) -> torch.Tensor:
        draws = generator(self._seed, f"neural_cleanse order {self.options.seed}", epoch)
        return torch.from_numpy(draws.permutation(len(self._images)))


def anomaly_indices(norms: Sequence[float]) -> list[float]:
    """How far each norm is from their median, in robust standard deviations; the median is that of numpy."""
    values = np.asarray(norms)
    median = np.median(values)
    distances = np.abs(values - median)
    spread = max(CONSISTENCY * float(np.median(distances)), SMALLEST_SPREAD * float(median), 1e-12)
    return [float(one) for one in distances / spread]
