"""How differently two providers leave the state of their optimizers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.plugins import Comparison, MetricContext, ReturnedModel

from .file_metric import FileMetric
from .geometric import geometric
from .streaming import Squares, squares_apart


class OptimizerDistance(FileMetric):
    """The largest, over what the optimizer keeps, of ‖u − v‖ ÷ √(‖u‖·‖v‖), all parameters' u and v taken together.

    It keeps momentum, or Adam's moments and count of steps. Every execution of the next sub-run starts from it: if a
    backdoor is written into the momentum alone, everybody's honest steps plant it. Momentum forgets within tens of
    steps, so with own seeds honest states have nothing in common (a distance of about √2).
    """

    name = "optimizer"
    spread = 0.2

    def begin(self, context: MetricContext) -> None:
        """See whether the job's optimizer keeps any."""
        if not context.model.optimizer_state:
            raise ValueError("there is nothing to compare: the optimizer keeps no state; momentum and adamw do")

    def compare(self, representations: Sequence[ReturnedModel]) -> Comparison:
        """All pairs, with one pass over the files."""
        rows = [model.pieces("optimizer_state") for model in representations]
        kinds: dict[str, Squares] = {}
        for name, squares in squares_apart(rows, origin=True):
            kind = name.rpartition(".")[2]
            kinds[kind] = kinds[kind] + squares if kind in kinds else squares
        distances: NDArray[np.float64] = np.max([geometric(squares) for squares in kinds.values()], axis=0)
        return Comparison(distances.tolist())
