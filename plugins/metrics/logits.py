"""How differently two models answer, before the softmax."""

from __future__ import annotations

import torch

from auditor.plugins import ReturnedModel

from .answers import AnswerMetric


class LogitDistance(AnswerMetric):
    """Mean over held-out samples of ‖fᵢ(x) − fⱼ(x)‖₂, where f are the raw outputs.

    Unlike `output`, it distinguishes models that are sure of every answer. It has no upper bound.
    """

    name = "logits"
    spread = 0.25

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Raw outputs, float64 [samples, classes]."""
        return model.logits(self._probe).double()
