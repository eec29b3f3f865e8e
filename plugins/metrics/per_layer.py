"""Which layer two providers changed differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.plugins import Comparison, Metric, MetricContext, NoiseFloor, ReturnedModel

from .geometric import geometric
from .noise import floor_for
from .remarks import most_in
from .streaming import Squares, squares_apart

ADAPTIVE_NOISE = NoiseFloor(per_step=8e-3, growth=0.5, early=45, most=1.5)
"""The noise floor on images under optimizers of Adam's kind."""

TEXT_NOISE = NoiseFloor(per_step=5e-5, growth=0.75, early=60, most=1.5)
"""The noise floor on texts."""


class LayerDistance(Metric[ReturnedModel]):
    """The largest over all layers of ‖Δᵢ − Δⱼ‖ ÷ √(‖Δᵢ‖·‖Δⱼ‖), where Δ is what training changed in the layer.

    A layer is a module with its own parameters, weight and bias together. However small, it counts like any other,
    so that a deviation in one is not lost among the many parameters of the rest. In the reasons of a verdict it
    names the layers in which a model stands out most. Files are read piece by piece, each once for all pairs.
    """

    name = "per_layer"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=1e-3, growth=1.1, early=14, most=1.5)

    def begin(self, context: MetricContext) -> None:
        """Take the noise of the kind of job."""
        self.noise = floor_for(context, usual=self.noise, texts=TEXT_NOISE, adaptive=ADAPTIVE_NOISE)

    def represent(self, model: ReturnedModel) -> ReturnedModel:
        """The model itself: its weights stay in their file."""
        return model

    def distance(self, first: ReturnedModel, second: ReturnedModel) -> float:
        """See the class; 0 when neither changed anything."""
        return 0.0 if first is second else float(self.compare([first, second]).distances[0][1])

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files, and the layers in which each model stands out."""
        rows = [representations[0].start_parameters(), *(model.parameters() for model in representations)]
        layers: dict[str, Squares] = {}
        for name, squares in squares_apart(rows):
            layer = name.rpartition(".")[0] or name
            layers[layer] = layers[layer] + squares if layer in layers else squares
        distances = {layer: geometric(squares) for layer, squares in layers.items()}
        return Comparison(np.max(list(distances.values()), axis=0).tolist(), most_in(distances))
