"""How differently two models answer."""

from __future__ import annotations

import torch

from auditor.plugins import Metric, MetricContext, NoiseFloor, Options, ReturnedModel, option

from .noise import floor_for

TEXT_NOISE = NoiseFloor(per_step=1e-7, growth=1.25, early=10, most=0.4)
"""The noise floor on texts."""


class OutputOptions(Options):
    """What a job file may write for `output`."""

    samples: int = option(256, "how many held-out samples are compared", ge=1)


class OutputDistance(Metric[torch.Tensor]):
    """Mean over held-out samples of ‖softmax(fᵢ(x)) − softmax(fⱼ(x))‖₂, between 0 and √2."""

    name = "output"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=7e-5, growth=1.6, early=60, most=0.4)
    spread = 0.35
    Options = OutputOptions
    options: OutputOptions

    def begin(self, context: MetricContext) -> None:
        """Keep the samples that are compared."""
        self.noise = floor_for(context, usual=self.noise, texts=TEXT_NOISE)
        self._probe = context.probe[: self.options.samples]

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Softmax outputs [samples, classes]."""
        return model.logits(self._probe).double().softmax(dim=1)

    def distance(self, first: torch.Tensor, second: torch.Tensor) -> float:
        """The mean Euclidean distance of the answers."""
        return float((first - second).norm(dim=1).mean())
