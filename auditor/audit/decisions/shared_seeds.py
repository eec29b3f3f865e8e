"""The ratio where all providers have the same seeds, so that honest models differ by numerical noise only.

How much noise there is follows from the job and from the sub-run. The client executes the sub-run itself in several
ways, and the largest distance of one of these from the usual one is the noise floor (`auditor.training.rehearsal`).
Other machines may round in more ways than the client tried, so `MARGIN` times the floor is allowed for, whatever the
number of providers. Smaller distances count as that distance, and a benign ratio is near 1.

Without a measured floor there is no judgement: it is unclear how far apart honest models may lie.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from auditor.audit.decisions.calibration import Calibration
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Judgement
from auditor.audit.decisions.scale import Scale, abstain, judge_by

MARGIN = 2.0
"""How many noise floors are allowed for. The largest honest distance that was measured is 1.4 of them."""

SCALE = Scale(spread=0.2, expected=Calibration(0.0, 1.0, 30.0))
"""What is beyond the allowance is judged as if honest noise scattered around it by tens of per cent."""


def allowance(matrix: DistanceMatrix) -> float | None:
    """How far apart honest models may lie; None if nobody knows.

    A floor of 0 is no knowledge either: a metric whose noise is 0 or something has not shown how much that is.
    """
    if matrix.noise_floor is None or (matrix.noise_floor == 0 and matrix.values.max() > 0):
        return None
    return MARGIN * matrix.noise_floor


def noise_share(matrix: DistanceMatrix) -> float | None:
    """What is allowed for as a share of how far apart models lie that have nothing in common; None if not known."""
    allowed = allowance(matrix)
    return allowed / matrix.size if allowed is not None and matrix.size else None


def why_unknown(matrix: DistanceMatrix) -> str:
    """Why nothing tells how far apart honest models may lie, in words."""
    reason = f" ({matrix.noise_source})" if matrix.noise_source and matrix.noise_floor is None else ""
    return f"the noise of {matrix.metric} is unknown{reason}, so it is unclear how far apart honest models may lie"


def judge_shared_seeds(matrix: DistanceMatrix, assumptions: Assumptions) -> list[Judgement]:
    """Judge every provider of one matrix of three or more."""
    allowed = allowance(matrix)
    if allowed is None:
        return abstain(matrix, why_unknown(matrix))
    raised = np.maximum(matrix.values, allowed or 1.0)  # where the floor is 0, all models are equal
    np.fill_diagonal(raised, 0.0)
    return [replace(one, noise=noise_share(matrix)) for one in judge_by([SCALE], raised, matrix, assumptions)]
