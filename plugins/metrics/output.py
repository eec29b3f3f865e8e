"""How differently two models answer."""

from __future__ import annotations

import torch

from auditor.plugins import ReturnedModel

from .answers import AnswerMetric


class OutputDistance(AnswerMetric):
    """Mean over held-out samples of ‖softmax(fᵢ(x)) − softmax(fⱼ(x))‖₂, between 0 and √2."""

    name = "output"
    spread = 0.35

    def represent(self, model: ReturnedModel) -> torch.Tensor:
        """Softmax outputs [samples, classes]."""
        return model.logits(self._probe).double().softmax(dim=1)
