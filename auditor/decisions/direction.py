"""Whether a provider deviates in the same direction again and again, where every provider draws its own seeds.

Honest training scatters anew in every sub-run. A provider that trains for another goal is pulled the same way each
time, even if no single sub-run shows more than honest scatter. W_i is what provider i returned, and D_i is W_i − the
mean of what the others returned. The statistic of i over the sub-runs that it took part in is

    T_i = Σ_{s<t} cos(D_i^s, D_i^t).

**Null.** If everybody is benign, whose model is whose in a sub-run is as if drawn by lot, in each sub-run by itself.
So T_i is held against the same sum along every way to pick one model a sub-run ("path"), n^m of them, and p is the
share of paths whose sum is at least as large, the actual one among them. That is exact, whatever the models are
distributed like (Pitman, 1937, "Significance tests which may be applied to samples from any populations"): nothing is
estimated. Scatter that is always larger, and turns that are rare and large, change no angle. Where there are too many
paths, some are drawn, always the same ones, and the actual one is counted among them.

**Beside a deviating provider** the others are not alike: all of them are pulled away from it, by a share of
1 / (n − 1). So the provider that looks worst is judged as it is, and the others once more without it, and so on for as
many as may be malicious. Of the p-values of one provider the largest counts.

Models come as sketches: projections on the same secret random directions in every sub-run, which keep inner products
(Johnson and Lindenstrauss, 1984).

What it cannot do: one sub-run has no angle, p is at least n^-m, and a provider that is *always* pulled one way by
something else than malice is flagged as well. No hardware or precision that was tried does that; a known difference
in how a provider trains, such as another learning rate, does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from auditor.base.randomness import generator
from auditor.decisions.distances import Assumptions
from auditor.decisions.error_budget import Budget

PATHS = 20_000
"""All paths are tried up to this number; of more paths, this number is drawn."""
MEMBERS = 3
"""Sub-runs of fewer models are left out: of two, each lies where the other does not."""
UNREMARKABLE = 0.05
"""Where nobody looks worse, nobody stands in the others' way, and nobody is judged once more."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Sketches:
    """The models returned for one sub-run, as projections on directions that are the same in every sub-run.

    Attributes:
        sub_run: which sub-run.
        providers: whose models, in the order of rows.
        values: float [n, projections]; what is the same for all of the sub-run may be left out.
    """

    sub_run: int
    providers: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """What the direction says of one provider after a number of sub-runs.

    Attributes:
        sub_runs: how many, of all that were sketched.
        p_value: of its direction.
        share: of the false-alarm rate, which this look may use.
    """

    sub_runs: int
    p_value: float
    share: float


def look_at_directions(
    sketches: Sequence[Sketches], budget: Budget, assumptions: Assumptions, *, ended: bool
) -> dict[str, list[Look]]:
    """Every look that is due by now, by provider.

    Args:
        sketches: of all sub-runs so far, in the order in which they were measured.
        budget: says when it is looked.
        assumptions: what the audit takes for granted.
        ended: whether no more sub-runs come.
    """
    found: dict[str, list[Look]] = {}
    for count, share in budget.looks(len(sketches), ended=ended).items():
        for name, p_value in direction_p_values(sketches[:count], assumptions).items():
            found.setdefault(name, []).append(Look(count, p_value, share))
    return found


def direction_p_values(sketches: Sequence[Sketches], assumptions: Assumptions) -> dict[str, float]:
    """The p-value of every provider that has taken part in two sub-runs or more.

    Args:
        sketches: of all sub-runs so far; those of fewer than three models are left out.
        assumptions: what the audit takes for granted.
    """
    usable = [sketch for sketch in sketches if len(sketch.providers) >= MEMBERS]
    if not usable:
        return {}
    most = max(len(sketch.providers) for sketch in usable)
    found: dict[str, float] = {}
    excluded: set[str] = set()
    for _ in range(most - assumptions.benign(most) + 1):
        judged = _without(usable, excluded)
        if not judged:
            break
        for name, (p_value, _) in judged.items():
            found[name] = max(found.get(name, 0.0), p_value)
        if min(p_value for p_value, _ in judged.values()) > max(UNREMARKABLE, assumptions.false_alarm_rate):
            break
        excluded.add(min(judged, key=lambda name: (judged[name][0], -judged[name][1])))
    return found


def pulled_alike(sketches: Sequence[Sketches], names: Sequence[str]) -> bool:
    """Whether two of `names` are pulled the same way, by half of how alike each is to itself, away from all others."""
    apart: dict[str, dict[int, NDArray[np.float64]]] = {name: {} for name in names}
    for sketch in sketches:
        rest = [row for row, name in enumerate(sketch.providers) if name not in names]
        for row, name in enumerate(sketch.providers):
            if name in apart and rest:
                away = sketch.values[row] - sketch.values[rest].mean(axis=0)
                apart[name][sketch.sub_run] = away / max(float(np.linalg.norm(away)), np.finfo(np.float64).tiny)

    def alike(first: str, second: str) -> float:
        cosines = [
            float(here @ there)
            for s, here in apart[first].items()
            for t, there in apart[second].items()
            if s != t  # in one sub-run both lie away from the same reference
        ]
        return float(np.mean(cosines)) if cosines else 0.0

    own = {name: alike(name, name) for name in names}
    return any(
        min(own[first], own[second]) > 0 and alike(first, second) >= math.sqrt(own[first] * own[second]) / 2
        for position, first in enumerate(names)
        for second in names[:position]
    )


def smallest_p_value(participants: int, sub_runs: int) -> float:
    """The smallest p-value that there can be; 1 where there is no angle."""
    if participants < MEMBERS or sub_runs < 2:
        return 1.0
    return 1.0 / min(math.prod([participants] * sub_runs), PATHS + 1)


def _without(sketches: Sequence[Sketches], excluded: Iterable[str]) -> dict[str, tuple[float, float]]:
    """(p, mean cosine) of everybody who is not excluded, among these alone."""
    parts = [_directions(sketch, set(excluded)) for sketch in sketches]
    presence: dict[str, tuple[int, ...]] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        presence[name] = tuple(index for index, part in enumerate(parts) if name in part)
    return {
        name: p_and_cosine
        for where in dict.fromkeys(presence.values())
        if len(where) >= 2
        for name, p_and_cosine in _judged_alike(
            [parts[index] for index in where], [name for name, there in presence.items() if there == where]
        )
    }


def _directions(sketch: Sketches, excluded: set[str]) -> Mapping[str, NDArray[np.float64]]:
    """The direction in which each of the others lies from the rest, of length 1; 0 where there is none."""
    rows = [index for index, name in enumerate(sketch.providers) if name not in excluded]
    if len(rows) < 2:
        return {}
    centred = sketch.values[rows] - sketch.values[rows].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return {sketch.providers[row]: unit[index] for index, row in enumerate(rows)}


def _judged_alike(
    parts: Sequence[Mapping[str, NDArray[np.float64]]], names: Sequence[str]
) -> list[tuple[str, tuple[float, float]]]:
    """(p, mean cosine) of those who took part in the same sub-runs."""
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    unit = np.array([row for part in parts for row in part.values()])
    cosines = unit @ unit.T
    begins = offsets[:-1, None].astype(np.int32)
    sums = _sums(cosines, _paths(tuple(len(part) for part in parts)) + begins)
    own = np.array([[list(part).index(name) for name in names] for part in parts], dtype=np.int32) + begins
    exhaustive = math.prod(len(part) for part in parts) <= PATHS
    pairs = len(parts) * (len(parts) - 1) / 2
    judged = []
    for name, total in zip(names, _sums(cosines, own), strict=True):
        above = int((sums >= total - _ROUNDING).sum())
        p_value = above / len(sums) if exhaustive else (above + 1) / (len(sums) + 1)
        judged.append((name, (p_value, float(total) / pairs)))
    return judged


@lru_cache(maxsize=32)
def _paths(sizes: tuple[int, ...]) -> NDArray[np.int32]:
    """Ways to pick one model a sub-run: all, or as many as are tried. int [sub-runs, paths]."""
    if math.prod(sizes) <= PATHS:
        return np.indices(sizes, dtype=np.int32).reshape(len(sizes), -1)
    draws = generator(0, f"paths {' '.join(map(str, sizes))}")
    return np.stack([draws.integers(size, size=PATHS, dtype=np.int32) for size in sizes])


def _sums(cosines: NDArray[np.float64], paths: NDArray[np.int32]) -> NDArray[np.float64]:
    """Σ_{s<t} of the cosines along each path."""
    flat, count = cosines.ravel(), len(cosines)
    sums = np.zeros(paths.shape[1])
    for later in range(1, len(paths)):
        row = paths[later] * count
        for earlier in range(later):
            sums += flat[row + paths[earlier]]
    return sums
