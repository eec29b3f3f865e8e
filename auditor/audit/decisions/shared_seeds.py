"""The ratio where everybody has the client's seeds, so that honest models differ by numerical noise only.

Differing processors round differently, and alike ones do not differ at all. Nothing is estimated; distances below the
metric's measured noise floor count as the floor, and the spread around it is taken for known.
"""

from __future__ import annotations

import numpy as np

from auditor.audit.decisions.calibration import Calibration
from auditor.audit.decisions.clique import within
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement
from auditor.audit.decisions.scale import Scale, abstain, judge_by

NUMERICAL_SPREAD, NUMERICAL_TAIL = 0.2, 30.0
"""Noise of differing hardware scatters by tens of per cent around the floor."""


def judge_shared_seeds(matrix: DistanceMatrix, assumptions: Assumptions) -> list[Judgement]:
    """Judge every provider of one matrix."""
    values, note = _comparable(matrix)
    if note:
        return abstain(matrix, note)
    return judge_by([Scale(NUMERICAL_SPREAD, Calibration(0.0, 1.0, NUMERICAL_TAIL))], values, matrix, assumptions)


def _comparable(matrix: DistanceMatrix) -> tuple[Distances, str]:
    """The distances as they are compared; and why they cannot be, if they cannot."""
    values = matrix.values
    if matrix.noise_floor is not None:
        raised = np.maximum(values, matrix.noise_floor)
        np.fill_diagonal(raised, 0.0)
        return raised, ""
    distances = within(values, range(len(values)))
    if distances.size and distances.min() <= 0 < distances.max():
        return values, (
            "some models are equal to the last bit and nobody has measured the metric's noise, so that nothing "
            "says how far apart honest ones may be"
        )
    return values, ""
