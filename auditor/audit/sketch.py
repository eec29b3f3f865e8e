"""Returned models as sketches: a few projections, the same in every sub-run, which show angles.

Every parameter is added to one of `PROJECTIONS` sums, with a sign; which, and with which sign, is drawn from the run's
secret (the "count sketch" of Charikar, Chen and Farach-Colton, 2002, "Finding frequent items in data streams"). Inner
products of sketches are those of the models, up to a relative error of about one in √PROJECTIONS. Parameters stream
through piece by piece, so that memory does not grow with the model: a pass over the files, some 10 ns a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from auditor.base.randomness import generator
from auditor.plugins.metric import ReturnedModel

PROJECTIONS = 1024
PIECE = 1 << 18
"""The number of parameters that are added at a time."""


def sketch(models: Mapping[str, ReturnedModel], seed: int) -> dict[str, NDArray[np.float64]]:
    """How far each model has moved from where the sub-run started, as a sketch.

    Args:
        models: by provider, all of one sub-run.
        seed: of the projections; secret, and the same for all sub-runs of a run.
    """
    sums = {provider: np.zeros(PROJECTIONS) for provider in models}
    piece = 0
    files = [model.pieces("parameters", PIECE) for model in models.values()]
    start = next(iter(models.values())).pieces("start_parameters", PIECE)
    for (_, before), *returned in zip(start, *files, strict=True):
        base = before.double().numpy()
        if not len(base):
            continue
        places = generator(seed, "sketch", piece).integers(2 * PROJECTIONS, size=len(base), dtype=np.uint16)
        piece += 1
        for total, (_, after) in zip(sums.values(), returned, strict=True):
            moved = after.double().numpy() - base
            both = np.bincount(places, weights=moved, minlength=2 * PROJECTIONS)
            total += both[:PROJECTIONS] - both[PROJECTIONS:]
    return sums
