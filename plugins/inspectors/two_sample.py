"""A classifier that is trained to tell a model's random features from honest ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from auditor.plugins import option

from .direction_test import DirectionTest, DirectionTestOptions, Matrix

HIDDEN = 64


class TwoSampleOptions(DirectionTestOptions):
    """What can be set for `two_sample`."""

    steps: int = option(100, "steps of gradient descent that the classifier is trained for", ge=1, le=100_000)


class TwoSample(DirectionTest):
    """Trains a small network to tell half of the directions from honest ones, and tries it on the other half.

    The classifier two-sample test of Lopez-Paz and Oquab (2017). The statistic is the share of the other half, and of
    as many honest directions, that the network tells rightly: one half if there is nothing to learn.
    """

    name = "two_sample"
    Options = TwoSampleOptions
    options: TwoSampleOptions

    def statistic(self, directions: Matrix, draws: np.random.Generator) -> float:
        """The share of directions that were not trained on and are told rightly."""
        count, values = directions.shape
        other = super().seen(draws.standard_normal((count, self._values)))
        samples = torch.from_numpy(np.concatenate([directions, other])).to(torch.float32)
        labels = torch.cat([torch.ones(count), torch.zeros(count)])
        order = torch.from_numpy(draws.permutation(2 * count))
        train, test = order[:count], order[count:]
        network = _network(values, draws)
        optimizer = torch.optim.Adam(network.parameters(), lr=5e-3, weight_decay=1e-4)
        with torch.enable_grad():
            for _ in range(self.options.steps):
                loss = nn.functional.binary_cross_entropy_with_logits(network(samples[train])[:, 0], labels[train])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        with torch.inference_mode():
            right = (network(samples[test])[:, 0] > 0) == (labels[test] > 0)
        return float(right.double().mean())

    def seen(self, directions: Matrix) -> Matrix:
        """See `DirectionTest`; remembers of how many values honest directions must be."""
        self._values = directions.shape[1]
        return super().seen(directions)


def _network(values: int, draws: np.random.Generator) -> nn.Module:
    """Two layers whose initial weights come from `draws`."""
    network = nn.Sequential(nn.Linear(values, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            size = 1 / np.sqrt(parameter.shape[-1])
            parameter.copy_(torch.from_numpy(draws.uniform(-size, size, tuple(parameter.shape))))
    return network
