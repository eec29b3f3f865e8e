"""What inspectors share that search a trigger for every class: the search, the outlier among classes, the pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from auditor.plugins import Inspection, Inspector, MetricContext, Options, ReturnedModel, generator, option

from .anomaly import THRESHOLD, anomaly_indices
from .trigger_pictures import trigger_pictures
from .trigger_search import Objective, Schedule, Trigger, search


class TriggerOptions(Options):
    """What can be set for every search."""

    epochs: int = option(100, "maximum passes over the images; a class stops earlier if nothing changes", ge=1)
    samples: int = option(128, "how many held-out images triggers are searched on", ge=1)
    batch: int = option(8, "images in one step; fewer make more steps of the same work", ge=1)
    success: float = option(0.99, "the share of images that a trigger has to turn", gt=0, le=1)
    cost: float = option(1e-3, "the first weight of the mask's size in the loss", gt=0)
    patience: int = option(5, "epochs in a row after which the weight is changed", ge=1)
    seed: int = option(0, "seed for the initial masks and patterns", ge=0)


class TriggerInspector(Inspector):
    """Searches a trigger for every class, and suspects the class whose trigger is much smaller than the others'.

    A subclass says what a search minimises beside the cross-entropy, and how the triggers it found are measured.
    """

    Options: ClassVar[type[Options]] = TriggerOptions
    options: TriggerOptions
    example: ClassVar = {"epochs": 5, "samples": 32}

    def begin(self, context: MetricContext) -> None:
        """Keep the images."""
        super().begin(context)
        if context.classes < 3:
            raise ValueError(
                f"there are {context.classes} classes, and their norms are always equally far from the median; "
                f"{self.name} needs 3 or more"
            )
        self._images = context.probe[: self.options.samples]
        self._classes = context.classes
        self._seed = context.seed

    @abstractmethod
    def objective(self, model: torch.nn.Module, images: torch.Tensor) -> Objective:
        """What is minimised beside the cross-entropy of the target.

        Args:
            model: takes images with values from 0 to 255.
            images: uint8 [N, C, H, W], those that triggers are searched on.
        """

    @abstractmethod
    def measures(
        self, model: torch.nn.Module, images: torch.Tensor, triggers: Sequence[Trigger]
    ) -> tuple[list[float], Mapping[str, Any]]:
        """For each class how large its trigger is, and more details by class; an outlier below is suspicious."""

    def inspect(self, model: ReturnedModel) -> Inspection:
        """Search the triggers, and compare their sizes.

        Raises:
            ValueError: the model's outputs are not finite.
        """
        given = self.options
        module = model.differentiable()
        triggers = self._start(next(module.parameters()).device)
        schedule = Schedule(given.epochs, given.batch, given.success, given.cost, given.patience)
        objective = self.objective(module, self._images)
        search(module, self._images, triggers, schedule, self._order, objective, self.progress)
        measures, more = self.measures(module, self._images, triggers)
        indices = anomaly_indices(measures)
        suspected = int(np.argmin(measures))
        median = float(np.median(measures))
        also = [
            number
            for number, trigger in enumerate(triggers)
            if trigger.reached and indices[number] > THRESHOLD and measures[number] < median
        ]
        return Inspection(
            score=indices[suspected],
            threshold=THRESHOLD,
            confirmed=triggers[suspected].reached,
            details={
                "suspected": suspected,
                "norms": [trigger.norm for trigger in triggers],
                "indices": indices,
                "reached": [trigger.reached for trigger in triggers],
                "epochs": [trigger.epochs for trigger in triggers],
                **more,
            },
            pictures=trigger_pictures({number: triggers[number] for number in dict.fromkeys([suspected, *also])}),
        )

    def _start(self, device: torch.device) -> list[Trigger]:
        """Masks and patterns drawn uniformly from [0, 1], the same ones for every model."""
        channels, height, width = self._images.shape[1:]
        draws = generator(self._seed, f"{self.name} start", self.options.seed)
        # At 0 and 1 the hyperbolic tangent would need infinite arguments.
        drawn = draws.uniform(1e-3, 1 - 1e-3, size=(self._classes, 1 + channels, height, width))
        raw = torch.from_numpy(np.arctanh(2 * drawn - 1)).float().to(device)
        return [Trigger(mask=one[:1].clone(), pattern=one[1:].clone()) for one in raw]

    def _order(self, epoch: int) -> torch.Tensor:
        draws = generator(self._seed, f"{self.name} order {self.options.seed}", epoch)
        return torch.from_numpy(draws.permutation(len(self._images)))
