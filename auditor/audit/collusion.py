"""Collusion: where the assumption that most providers are benign may be broken.

A decision takes those for benign that agree best, and counts on r·n of them. Colluding providers that train the same
backdoor agree well too. Where there are more of them than the job counts on, it is the benign ones that look deviant.
Two things show it: more providers are flagged than the job allows for, or the flagged ones agree among themselves as
well as the others do, which different deviations would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.agreement import disagree
from auditor.decisions.clique import within
from auditor.decisions.direction import Sketches, pulled_alike

ALIKE = 1.5
"""Two camps agree alike when their median distances differ by no larger a factor."""


def doubts_about_assumption(
    flagged: Sequence[str],
    matrices: Sequence[DistanceMatrix],
    assumptions: Assumptions,
    sketches: Sequence[Sketches] = (),
) -> list[str]:
    """What speaks against r, as sentences; nothing where fewer than two are flagged by their distances.

    Args:
        flagged: whose models lie too far from the others.
        matrices: all that was measured.
        assumptions: what the audit takes for granted.
        sketches: of the models, where directions were judged; these show the camps, because distances hardly differ.
    """
    if len(flagged) < 2 or not matrices:
        return []
    count = max(len(matrix.providers) for matrix in matrices)
    allowed = count - assumptions.benign(count)
    found = []
    if len(flagged) > allowed:
        found.append(
            f"{len(flagged)} providers deviate, but the job assumes that at most {allowed} of {count} do "
            f"(benign_fraction = {assumptions.benign_fraction:.2g}). The assumption is broken, so the others may as "
            "well be the ones that deviate together"
        )
    near = (_two_camps(flagged, matrix, assumptions) for matrix in matrices)
    if pulled_alike(sketches, flagged) if sketches else any(near):
        found.append(
            f"{_listed(flagged)} agree with one another as well as the others do, so there are two camps. If more than "
            f"{allowed} of {count} providers collude, the other camp is the one that deviates. Another provider, or "
            "one that you trust, would settle it"
        )
    return found


def _two_camps(flagged: Sequence[str], matrix: DistanceMatrix, assumptions: Assumptions) -> bool:
    accused = [index for index, name in enumerate(matrix.providers) if name in flagged]
    others = [index for index in range(len(matrix.providers)) if index not in accused]
    if len(accused) < 2 or len(others) < 2:
        return False
    if assumptions.seeds is Seeds.SHARED:
        chosen = tuple(matrix.providers[index] for index in accused)
        values = matrix.values[np.ix_(accused, accused)]
        return not disagree(replace(matrix, providers=chosen, values=values), assumptions)
    return float(np.median(within(matrix.values, accused))) <= ALIKE * float(np.median(within(matrix.values, others)))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
