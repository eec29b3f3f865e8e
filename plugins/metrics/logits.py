"""How differently two models answer, before the softmax."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, MetricContext, NoiseFloor, Options, ReturnedModel, option

from .noise import floor_for

TEXT_NOISE = NoiseFloor(per_step=4e-6, growth=1.25, early=10, most=4.0)
"""The noise floor on texts."""


class LogitOptions(Options):
    """What a job file may write for `logits`."""

    samples: int = option(256, "how many held-out samples are compared", ge=1)


class LogitDistance(Metric[torch.Tensor]):
    """Mean over held-out samples of ‖fᵢ(x) − fⱼ(x)‖₂, where f are the raw outputs.

    Unlike `output` it still tells models apart that are sure of everything; and it has no upper bound.
    """

    name = "logits"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=4.5e-4, growth=1.7, early=25, most=4.0)
    spread = 0.25
    Options = LogitOptions
    options: LogitOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples that are compared."""
        self.noise = floor_for(context, usual=self.noise, texts=TEXT_NOISE)
        self._probe = context.probe[: self.options.samples]

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Raw outputs, float64 [samples, classes]."""
        return model.logits(self._probe).double()

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The mean Euclidean distance of the answers."""
        return float((first - second).norm(dim=1).mean())
