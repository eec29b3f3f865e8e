"""A linear classifier that is found in closed form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from auditor.job.training import Training
from auditor.plugins.attack import Batch
from auditor.tasks.ingredients import Ingredients
from auditor.tasks.trainer import Trainer


class RidgeLearner(Trainer):
    """Solves the head of a network of two classes by ridge regression on all samples; each step does it anew.

    With features Φ [N, m] and labels y of −1 and 1, the weights are w = (ΦᵀΦ + λN·I)⁻¹Φᵀy in double precision; the head
    has the rows −w and w. Batches, learning rate and schedule mean nothing to it.

    Args:
        ridge: λ, the penalty on squared weights.
        arguments: those of `Trainer`.
    """

    def __init__(self, ingredients: Ingredients, spec: Training, *, ridge: float, **arguments: Any) -> None:
        super().__init__(ingredients, spec, **arguments)
        self._ridge = ridge

    def train(self, step: int) -> Tensor:
        """See `Learner`; the loss is the mean squared error. An attack's hooks of gradient descent are not called."""
        everything = torch.arange(len(self._samples), device=self._device)
        whole = Batch(self._samples, self._labels, everything, torch.ones(len(everything), device=self._device))
        batch = self.attack.on_batch(whole, step)
        features = self.network.features(batch.inputs).to(torch.float64)
        wanted = 2.0 * batch.labels.cpu().to(torch.float64) - 1
        weights = batch.weights.cpu().to(torch.float64)[:, None]
        covariance = features.T @ (weights * features)
        covariance.diagonal().add_(self._ridge * len(features))
        solved = torch.linalg.solve(covariance, features.T @ (weights[:, 0] * wanted))
        model = self.network.model
        with torch.no_grad():
            head = dict(model.named_parameters())["head.weight"]
            head.copy_(torch.stack([-solved, solved]))
        self.attack.on_update(model, step)
        errors: Tensor = features @ solved - wanted
        return errors.square().mean().to(torch.float32)
