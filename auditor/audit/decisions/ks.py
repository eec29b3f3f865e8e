"""The rule of the source paper: a two-sample Kolmogorov–Smirnov test (RTTD, arXiv 2504.00170).

For each judged provider: (1) among the distances that do not involve it, find the cluster that approximates
the distances between benign providers: the narrowest window of as many sorted distances as there must be among
the r·n − 1 other benign ones; (2) of its own n − 1 distances take the r·n − 1 that lie nearest to that cluster;
(3) test whether both sets come from one distribution.

With a majority of benign servers the window is theirs, unless several malicious ones with similar attacks form
a narrower one. Distances that share a server are not independent, so that the p-values are not calibrated.
"""

from __future__ import annotations

import math

import numpy as np

from auditor.audit.decisions.clique import within
from auditor.audit.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement


class KolmogorovSmirnovDecision:
    """See the module."""

    name = "ks"

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix, each matrix by itself."""
        return [_judge(matrix, index, assumptions) for matrix in matrices for index in range(len(matrix.providers))]

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """2 ÷ C(a + b, a) for samples of a and b: the two-sided test when the samples do not overlap."""
        cluster, own = _sample_sizes(participants, assumptions)
        if cluster == 0:
            return 1.0
        return min(1.0, 2 / math.comb(cluster + own, own))


def participants_needed(assumptions: Assumptions, threshold: float, limit: int = 200) -> int | None:
    """The smallest n at which one sub-run can give a p-value under `threshold`; None if none up to `limit`."""
    rule = KolmogorovSmirnovDecision()
    return next((n for n in range(3, limit) if rule.smallest_p_value(n, assumptions) <= threshold), None)


def _sample_sizes(participants: int, assumptions: Assumptions) -> tuple[int, int]:
    """How many distances are in the cluster, and how many of the judged provider's are compared with them."""
    if participants < 3:
        return 0, 0
    others = max(1, assumptions.benign(participants) - 1)
    return max(1, math.comb(others, 2)), others


def _judge(matrix: DistanceMatrix, judged: int, assumptions: Assumptions) -> Judgement:
    from scipy.stats import ks_2samp

    count = len(matrix.providers)
    others = [index for index in range(count) if index != judged]
    cluster_size, own_size = _sample_sizes(count, assumptions)
    if cluster_size == 0:
        note = "there are no distances among others to compare it with"
        return Judgement(matrix.sub_run, matrix.metric, matrix.providers[judged], None, None, (), note)
    cluster = _narrowest(np.sort(within(matrix.values, others)), cluster_size)
    own = matrix.values[judged, others]
    nearest = np.argsort(np.abs(own - np.median(cluster)), kind="stable")[:own_size]
    test = ks_2samp(own[nearest], cluster, method="exact")
    centre = float(np.median(cluster))
    return Judgement(
        matrix.sub_run,
        matrix.metric,
        matrix.providers[judged],
        p_value=_one_sided(float(test.pvalue), float(np.median(own[nearest])), centre),
        ratio=float(np.median(own[nearest])) / centre if centre > 0 else None,
        reference=tuple(matrix.providers[others[index]] for index in sorted(nearest)),
    )


def _narrowest(ordered: Distances, size: int) -> Distances:
    widths = ordered[size - 1 :] - ordered[: len(ordered) - size + 1]
    start = int(np.argmin(widths))
    return ordered[start : start + size]


def _one_sided(p_value: float, own: float, reference: float) -> float:
    """A provider that is nearer to the others than they are to one another is no suspect."""
    return p_value if own > reference else 1.0
