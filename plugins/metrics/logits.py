"""How differently two models answer, before the softmax."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, MetricContext, Options, ReturnedModel, option


class LogitOptions(Options):
    """What a job file may write for `logits`."""

    samples: int = option(256, "how many held-out samples are compared", ge=1)


class LogitDistance(Metric[torch.Tensor]):
    """Mean over held-out samples of ‖fᵢ(x) − fⱼ(x)‖₂, where f are the raw outputs.

    Unlike `output` it still tells models apart that are sure of everything; and it has no upper bound.
    """

    name = "logits"
    tasks = frozenset({"vision", "text"})
    spread = 0.25
    Options = LogitOptions
    options: LogitOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples that are compared."""
        self._probe = context.probe[: self.options.samples]

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Raw outputs, float64 [samples, classes]."""
        return model.logits(self._probe).double()

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The mean Euclidean distance of the answers."""
        return float((first - second).norm(dim=1).mean())
