"""Which layer two providers changed differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditor.plugins import Comparison, ReturnedModel

from .file_metric import FileMetric
from .geometric import geometric
from .remarks import most_in
from .streaming import Squares
from .weights import from_the_start


class LayerDistance(FileMetric):
    """The largest over all layers of ‖Δᵢ − Δⱼ‖ ÷ √(‖Δᵢ‖·‖Δⱼ‖), where Δ is what training changed in the layer.

    A layer is a module with its own parameters, weight and bias together. However small, it counts like any other,
    so that a deviation in one is not lost among the many parameters of the rest. In the reasons of a verdict it
    names the layers in which a model stands out most. Files are read piece by piece, each once for all pairs.
    """

    name = "per_layer"
    spread = 0.25

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs in one pass over the files, and the layers in which each model stands out."""
        layers: dict[str, Squares] = {}
        for name, squares in from_the_start(representations):
            layer = name.rpartition(".")[0] or name
            layers[layer] = layers[layer] + squares if layer in layers else squares
        distances = {layer: geometric(squares) for layer, squares in layers.items()}
        return Comparison(np.max(list(distances.values()), axis=0).tolist(), most_in(distances))
