"""How differently two providers changed the weights, as a share of how much they changed them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.plugins import Comparison, Metric, MetricContext, NoiseFloor, ReturnedModel

from .noise import floor_for
from .streaming import squares_apart

ADAPTIVE_NOISE = NoiseFloor(per_step=6e-3, growth=0.6, early=12, most=1.0)
"""The noise floor on images under optimizers of Adam's kind."""

TEXT_NOISE = NoiseFloor(per_step=2e-5, growth=0.75, early=60, most=1.0)
"""Of models for texts, which amplify far less without batch normalisation (measured under AdamW)."""


class UpdateDistance(Metric[ReturnedModel]):
    """‖Wᵢ − Wⱼ‖ ÷ mean(‖Wᵢ − W₀‖, ‖Wⱼ − W₀‖) over all parameters.

    0 is the same update and √2 two unrelated ones of one length. Parameters are read from the mapped files piece by
    piece, each file once for all pairs, so memory grows neither with the models' size nor with their number.
    """

    name = "update"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=1e-3, growth=1.1, early=6, most=1.0)

    def begin(self, context: MetricContext) -> None:
        """Take the noise of the kind of job."""
        self.noise = floor_for(context, usual=self.noise, texts=TEXT_NOISE, adaptive=ADAPTIVE_NOISE)

    def represent(self, model: ReturnedModel) -> ReturnedModel:
        """The model itself: its weights stay in their file."""
        return model

    def distance(self, first: ReturnedModel, second: ReturnedModel) -> float:
        """The norm of the difference over the mean norm of the updates; 0 when neither changed anything."""
        return 0.0 if first is second else float(self.compare([first, second]).distances[0][1])

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files."""
        start = representations[0].start_parameters()
        rows = [start, *(model.parameters() for model in representations)]
        apart = np.sqrt(sum((squares for _, squares in squares_apart(rows)), start=np.zeros((len(rows), len(rows)))))
        norms = apart[0, 1:]
        scale = (norms[:, None] + norms) / 2
        return Comparison((apart[1:, 1:] / np.where(scale > 0, scale, 1.0)).tolist())
