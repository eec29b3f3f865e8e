"""The rule of the source paper: a two-sample Kolmogorov–Smirnov test (RTTD, arXiv 2504.00170).

For each judged provider: (1) among the distances that do not involve it, find the cluster that approximates
the distances between benign providers: the narrowest window of as many sorted distances as there must be among
the r·n − 1 other benign ones; (2) of its own n − 1 distances take the r·n − 1 that lie nearest to that cluster;
(3) test whether both sets come from one distribution.

With a majority of benign providers the window is theirs, unless several malicious ones with similar attacks form
a narrower one. Distances that share a provider are not independent, and the window is selected for being narrow, so
that the test's own p-value is far too small: with n = 12, r = 0.5 and everybody benign it is at most 0.01 for one
provider in eight (measured on digits). The p-value that is given here is how often benign providers reach the same
statistic (`calibration`, of which it needs neither scale nor spread: the statistic depends on ranks alone). The
paper's own stands beside it as `rttd`, for benchmarks.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from auditor.decisions.calibration import benign_matrices
from auditor.decisions.clique import within
from auditor.decisions.distances import Assumptions, DistanceMatrix, Distances, Judgement


class KolmogorovSmirnovDecision:
    """The paper's statistic with a p-value that holds; see the module."""

    name = "ks"
    calibrated = True

    def judge(self, matrices: list[DistanceMatrix], assumptions: Assumptions) -> list[Judgement]:
        """Judge every provider in every matrix, each matrix by itself."""
        return [
            _judge(matrix, index, self.benign(len(matrix.providers), assumptions), calibrated=self.calibrated)
            for matrix in matrices
            for index in range(len(matrix.providers))
        ]

    def benign(self, participants: int, assumptions: Assumptions) -> int:
        """How many of n providers are counted on."""
        return assumptions.benign(participants)

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """How often the distances of a benign provider all lie beyond the cluster."""
        if participants < 3:
            return 1.0
        return _tail(1.0, participants, assumptions.benign(participants))


class PaperDecision(KolmogorovSmirnovDecision):
    """The paper's rule to the letter, with the p-value of the test; its false alarms are not what is asked."""

    name = "rttd"
    calibrated = False

    def benign(self, participants: int, assumptions: Assumptions) -> int:
        """r·n, also where that is no majority: the paper counts on 8 of 16."""
        return max(2, min(participants, round(assumptions.benign_fraction * participants)))

    def smallest_p_value(self, participants: int, assumptions: Assumptions) -> float:
        """2 ÷ C(a + b, a) for samples of a and b: the two-sided test when the samples do not overlap."""
        if participants < 3:
            return 1.0
        cluster, own = _sample_sizes(self.benign(participants, assumptions))
        return min(1.0, 2 / math.comb(cluster + own, own))


def _sample_sizes(benign: int) -> tuple[int, int]:
    """How many distances are in the cluster, and how many of the judged provider's are compared with them."""
    others = max(1, benign - 1)
    return max(1, math.comb(others, 2)), others


def _judge(matrix: DistanceMatrix, judged: int, benign: int, *, calibrated: bool) -> Judgement:
    from scipy.stats import ks_2samp

    count = len(matrix.providers)
    if count < 3:
        note = "there are no distances among other providers to compare it with"
        return Judgement(matrix.sub_run, matrix.metric, matrix.providers[judged], None, None, (), note)
    own, cluster, nearest = _compared(matrix.values, judged, benign)
    centre, middle = float(np.median(cluster)), float(np.median(own))
    if middle <= centre:  # nearer to the others than they are to one another
        p_value = 1.0
    elif calibrated:
        p_value = _tail(_statistic(own, cluster), count, benign)
    else:
        p_value = float(ks_2samp(own, cluster, method="exact").pvalue)
    return Judgement(
        matrix.sub_run,
        matrix.metric,
        matrix.providers[judged],
        p_value=p_value,
        ratio=middle / centre if centre > 0 else None,
        reference=tuple(matrix.providers[index] for index in nearest),
    )


def _compared(values: Distances, judged: int, benign: int) -> tuple[Distances, Distances, list[int]]:
    """The judged provider's distances, the cluster, and the providers that the distances are to."""
    others = [index for index in range(len(values)) if index != judged]
    cluster_size, own_size = _sample_sizes(benign)
    cluster = _narrowest(np.sort(within(values, others)), cluster_size)
    own = values[judged, others]
    nearest = np.argsort(np.abs(own - np.median(cluster)), kind="stable")[:own_size]
    return own[nearest], cluster, sorted(others[index] for index in nearest)


def _narrowest(ordered: Distances, size: int) -> Distances:
    widths = ordered[size - 1 :] - ordered[: len(ordered) - size + 1]
    start = int(np.argmin(widths))
    return ordered[start : start + size]


def _statistic(own: Distances, cluster: Distances) -> float:
    """The largest difference between the two empirical distributions."""
    both = np.concatenate([own, cluster])
    shares = [np.searchsorted(np.sort(part), both, side="right") / len(part) for part in (own, cluster)]
    return float(np.abs(shares[0] - shares[1]).max())


def _tail(statistic: float, participants: int, benign: int) -> float:
    """How often a benign provider reaches a statistic, itself counted among those that were simulated."""
    simulated = _simulated(participants, benign)
    return float((simulated >= statistic - 1e-9).sum() + 1) / (len(simulated) + 1)


@lru_cache(maxsize=64)
def _simulated(participants: int, benign: int) -> Distances:
    """The statistic of a benign provider among benign ones; 0 where it is nearer than they are to one another."""
    found = []
    for values in benign_matrices(participants, f"ks {participants} {benign}"):
        own, cluster, _ = _compared(values, 0, benign)
        found.append(_statistic(own, cluster) if np.median(own) > np.median(cluster) else 0.0)
    return np.array(found)
