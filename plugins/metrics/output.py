"""How differently two models answer."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, MetricContext, Options, ReturnedModel, option


class OutputOptions(Options):
    """What a job file may write for `output`."""

    samples: int = option(256, "how many held-out samples are compared", ge=1)


class OutputDistance(Metric[torch.Tensor]):
    """Mean over held-out samples of ‖softmax(fᵢ(x)) − softmax(fⱼ(x))‖₂, between 0 and √2."""

    name = "output"
    tasks = frozenset({"vision", "text"})
    spread = 0.35
    Options = OutputOptions
    options: OutputOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples that are compared."""
        self._probe = context.probe[: self.options.samples]

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Softmax outputs [samples, classes]."""
        return model.logits(self._probe).double().softmax(dim=1)

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The mean Euclidean distance of the answers."""
        return float((first - second).norm(dim=1).mean())
