"""The providers that agree best with one another, and how far one lies from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from auditor.decisions.distances import Distances

EXHAUSTIVE = 20_000
"""Up to this number, all candidate cliques are tried; C(15, 7) = 6,435 is the source paper's headline setting."""

_ROUNDING = 1e-12
"""An exchange that makes a sum smaller by less than this share of it changes nothing but the order of summation."""


def tightest(values: Distances, members: Sequence[int], size: int) -> tuple[int, ...]:
    """The `size` of `members` whose mutual distances have the smallest sum.

    Exact while there are few candidates. Beyond that, each member is taken together with those nearest to it
    and the best of these groups is improved by exchanging one member at a time.
    """
    size = min(size, len(members))
    if math.comb(len(members), size) <= EXHAUSTIVE:
        candidates = _candidates(len(members), size)
        own = values[np.ix_(members, members)]
        sums = ((candidates @ own) * candidates).sum(axis=1)
        chosen = np.flatnonzero(candidates[int(np.argmin(sums))])
        return tuple(members[int(index)] for index in chosen)
    own = values[np.ix_(members, members)]
    nearest = np.sort(np.argsort(own, axis=1, kind="stable")[:, :size], axis=1)
    groups = [tuple(members[int(index)] for index in row) for row in nearest]
    return _improved(values, members, min(groups, key=lambda group: spread_sum(values, group)))


@lru_cache(maxsize=16)
def _candidates(members: int, size: int) -> Distances:
    """Every group of `size` out of `members`, one a row, 1 where a member belongs to it."""
    groups = np.array(list(combinations(range(members), size)))
    rows = np.zeros((len(groups), members))
    np.put_along_axis(rows, groups, 1.0, axis=1)
    return rows


def spread_sum(values: Distances, group: Sequence[int]) -> float:
    """The sum of all distances within a group."""
    return float(values[np.ix_(group, group)].sum() / 2)


def within(values: Distances, group: Sequence[int]) -> Distances:
    """All distances within a group, one per pair."""
    rows, columns = np.triu_indices(len(group), 1)
    chosen = np.asarray(group)
    return np.asarray(values[chosen[rows], chosen[columns]])


def log_ratio(values: Distances, judged: int, group: Sequence[int]) -> tuple[float, tuple[int, ...]]:
    """The logarithm of how far one provider lies from its reference clique over how far these lie from one another.

    The clique is the group that agrees best, without the judged provider where it belongs to it. The group is as large
    as there must be benign providers, a majority. So fewer colluding providers cannot form a clique, however well they
    agree. If too few are left to have a distance among them, the two others that agree best stand in.

    Args:
        values: float [n, n], at least three providers.
        judged: whose ratio it is.
        group: those of all n that agree best.

    Returns:
        The logarithm, and the clique.
    """
    clique = tuple(member for member in group if member != judged)
    if len(clique) < 2:
        clique = tightest(values, [index for index in range(len(values)) if index != judged], 2)
    to, among = values[judged, list(clique)], within(values, clique)
    tiny = np.finfo(np.float64).tiny
    logs = [float(np.log(max(np.median(part), tiny))) for part in (to, among)]
    return logs[0] - logs[1], clique


def _improved(values: Distances, members: Sequence[int], group: tuple[int, ...]) -> tuple[int, ...]:
    """The group after the best exchanges, one member at a time, until none makes its sum smaller.

    What an exchange does to the sum follows from how far each member lies from the group, so that all exchanges of a
    round cost no more than the distances themselves.
    """
    total = spread_sum(values, group)
    while True:
        inside = np.asarray(group)
        outside = np.asarray(sorted(set(members).difference(group)))
        from_group = values[:, inside].sum(axis=1)
        change = from_group[outside][None, :] - values[np.ix_(inside, outside)] - from_group[inside][:, None]
        outgoing, incoming = np.unravel_index(int(np.argmin(change)), change.shape)
        better = tuple(sorted({*group, int(outside[incoming])} - {int(inside[outgoing])}))
        smaller = spread_sum(values, better)
        if smaller >= total * (1 - _ROUNDING):
            return group
        group, total = better, smaller
