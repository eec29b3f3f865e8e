"""What metrics on the answers of models have in common."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, MetricContext, Options, option


class AnswerOptions(Options):
    """What a job file may write for a metric on answers."""

    samples: int = option(256, "how many held-out samples are compared", ge=1)


class AnswerMetric(Metric[torch.Tensor]):
    """The mean Euclidean distance of two models' answers [samples, classes] to held-out samples."""

    tasks = frozenset({"vision", "text", "python"})
    Options = AnswerOptions
    options: AnswerOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples that are compared."""
        if context.classes < 2:
            raise ValueError("the models do not tell classes apart, so that there are no answers to compare.")
        self._probe = context.probe[: self.options.samples]

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The mean Euclidean distance of the answers."""
        return float((first - second).norm(dim=1).mean())
