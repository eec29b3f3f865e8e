"""The ratio where all providers have the same seeds, so that honest models differ by numerical noise only.

How much noise there is follows from the job and from the sub-run. The client executes the sub-run itself in several
ways, and the largest distance of one of these from the usual one is the noise floor (`auditor.tasks.rehearsal`).
Other machines may round in more ways than the client tried, so `MARGIN` times the floor is allowed for, whatever the
number of providers. Smaller distances count as that distance, and a benign ratio is near 1.

Without a measured floor nobody is accused: it is unclear how far apart honest models may lie. Providers that agree
exactly with a majority agree all the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from auditor.decisions.calibration import Calibration
from auditor.decisions.clique import tightest
from auditor.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement
from auditor.decisions.scale import Scale, abstain, judge_by

MARGIN = 2.0
"""How many noise floors are allowed for. The largest honest distance that was measured is 2.4 of them
(`docs/results.md`), and flags begin at about 3.3."""

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
        return _judge_without_noise(matrix, assumptions)
    return [
        replace(judgement, noise=noise_share(matrix))
        for judgement in judge_by([SCALE], raised(matrix, allowed), matrix, assumptions)
    ]


def raised(matrix: DistanceMatrix, allowed: float) -> Distances:
    """The distances as they are compared: what is allowed for where they are smaller."""
    values = np.maximum(matrix.values, allowed or 1.0)  # where the floor is 0, all models are equal
    np.fill_diagonal(values, 0.0)
    return values


def _judge_without_noise(matrix: DistanceMatrix, assumptions: Assumptions) -> list[Judgement]:
    """Nothing is held against anybody; those who agree exactly with a majority agree whatever the noise is."""
    judgements = abstain(matrix, why_unknown(matrix))
    majority = tightest(matrix.values, range(len(judgements)), assumptions.benign(len(judgements)))
    if matrix.values[np.ix_(majority, majority)].max() > 0:
        return judgements
    names = tuple(matrix.providers[member] for member in majority)
    return [
        replace(judgement, p_value=1.0, reference=names, note="")
        if matrix.values[index, majority[0]] == 0
        else judgement
        for index, judgement in enumerate(judgements)
    ]
