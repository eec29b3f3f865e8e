"""How often honest providers are flagged where everybody draws seeds of their own: `python -m tests.bench.calibration`.

Simulated models of honest providers, judged as an audit judges them: distances by the ratio, directions by relabelling,
both put together. It prints a table and asserts nothing. One row for a kind of honest noise and a number of
providers; in per cent, benign providers flagged in an audit that is asked for 1 %, for m = 1, 4 and 12 sub-runs.
Below `----` are the kinds that no rule can tell from an attack, of which the plan says that it promises nothing.

    python -m tests.bench.calibration [judgements [n ...]]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.direction import Sketches, look_at_directions
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.decisions.ratio import RatioDecision
from auditor.decisions.rules import direction_tells
from auditor.experiments.rates import Rate

Models = NDArray[np.float64]
Noise = Callable[[int, np.random.Generator], Iterator[Models]]
"""From n and draws to the models of each sub-run of one audit, float64 [n, d]."""

ASKED = 0.01
FRACTION = 0.67
WIDE = ("three dimensions", "Student-2 coordinates", "power-law spectrum")
"""Kinds whose log distances scatter by more than a quarter: the metric says so, as `Metric.spread` asks."""


def scaled(scales: Callable[[int, np.random.Generator], Models], dimensions: int = 200) -> Noise:
    """Normal noise, larger for some; anew in every sub-run."""

    def noise(count: int, draws: np.random.Generator) -> Iterator[Models]:
        while True:
            yield draws.standard_normal((count, dimensions)) * scales(count, draws)[:, None]

    return noise


def turns(factor: float, share: float) -> Noise:
    """Now and then somebody's noise is so many times larger."""
    return scaled(lambda count, draws: np.where(draws.random(count) < share, factor, 1.0))


def lognormal(spread: float) -> Noise:
    """Everybody's scale is drawn anew, with heavy tails."""
    return scaled(lambda count, draws: np.exp(spread * draws.standard_t(3, count) / np.sqrt(3)))


def always_larger(factor: float) -> Noise:
    """The first provider's noise is so many times larger in every sub-run."""
    return scaled(lambda count, _: np.array([factor] + [1.0] * (count - 1)))


def coordinates(draw: Callable[[np.random.Generator, tuple[int, int]], Models], dimensions: int) -> Noise:
    """Independent coordinates of some distribution."""

    def noise(count: int, draws: np.random.Generator) -> Iterator[Models]:
        while True:
            yield draw(draws, (count, dimensions))

    return noise


def basins(share: float = 0.2, apart: float = 2.0) -> Noise:
    """Some end in another basin, so many times the noise away; the same basin in every sub-run, other providers."""

    def noise(count: int, draws: np.random.Generator) -> Iterator[Models]:
        while True:
            models = draws.standard_normal((count, 200)) / np.sqrt(200)
            models[:, 0] += apart * (draws.random(count) < share)
            yield models

    return noise


def alike(share: float, providers: int | None = None) -> Noise:
    """The last few (all but the first, if not given) have a share of the variance in common, drawn in each sub-run."""

    def noise(count: int, draws: np.random.Generator) -> Iterator[Models]:
        among = providers or count - 1
        while True:
            models = draws.standard_normal((count, 200))
            common = draws.standard_normal(200)
            models[-among:] = np.sqrt(1 - share) * models[-among:] + np.sqrt(share) * common
            yield models

    return noise


def offset(size: float) -> Noise:
    """The first provider is always pulled the same way, by so many times the noise."""

    def noise(count: int, draws: np.random.Generator) -> Iterator[Models]:
        while True:
            models = draws.standard_normal((count, 200)) / np.sqrt(200)
            models[0, 0] += size
            yield models

    return noise


KINDS: dict[str, Noise] = {
    "three dimensions": coordinates(lambda draws, shape: draws.standard_normal(shape), 3),
    "normal": coordinates(lambda draws, shape: draws.standard_normal(shape), 200),
    "power-law spectrum": coordinates(lambda d, shape: d.standard_normal(shape) / np.arange(1, shape[1] + 1), 200),
    "lognormal-t scales .1": lognormal(0.1),
    "lognormal-t scales .3": lognormal(0.3),
    "Student-2 coordinates": coordinates(lambda draws, shape: draws.standard_t(2, shape), 50),
    "1.5 times in 10 %": turns(1.5, 0.1),
    "2 times in 10 %": turns(2.0, 0.1),
    "3 times in 2 %": turns(3.0, 0.02),
    "two basins": basins(),
    "one always 1.1 times": always_larger(1.1),
    "one always 1.3 times": always_larger(1.3),
    "one always 2 times": always_larger(2.0),
    "the others share 20 %": alike(0.2),
    "two share 50 %": alike(0.5, 2),
    "two share 90 %": alike(0.9, 2),
}
UNPROMISED: dict[str, Noise] = {f"always pulled by {size:g}": offset(size) for size in (0.2, 0.4, 0.7)}


def distances(models: Models) -> Models:
    """Of all pairs."""
    return np.asarray(np.sqrt(((models[:, None] - models[None]) ** 2).sum(axis=-1)))


def flagged(models: list[Models], spread: float) -> list[bool]:
    """Who is flagged in an audit of so many sub-runs, by one metric that declares such a spread."""
    count = len(models[0])
    names = tuple(f"p{index}" for index in range(count))
    assumptions = Assumptions(FRACTION, Seeds.OWN, ASKED)
    budget = Budget(len(models), True, 1, direction_tells(count, len(models), ASKED))
    matrices = [DistanceMatrix(i, "update", names, distances(one), None, spread) for i, one in enumerate(models)]
    judged = RatioDecision().judge(matrices, assumptions)
    sketches = [Sketches(index, names, one) for index, one in enumerate(models)]
    looks = look_at_directions(sketches, budget, assumptions, ended=True)
    found = []
    for name in names:
        directions = [(look.p_value, look.share) for look in looks.get(name, [])]
        p_value = combined_p_value([one for one in judged if one.provider == name], budget, directions)
        found.append(p_value is not None and p_value <= ASKED)
    return found


def rates(kind: str, count: int, sub_runs: int, judgements: int) -> tuple[Rate, Rate]:
    """Of all providers, and of the first alone, who is the one that differs where one does."""
    noise = (KINDS | UNPROMISED)[kind]
    draws = np.random.default_rng([count, sub_runs, list(KINDS | UNPROMISED).index(kind)])
    spread = 0.5 if kind in WIDE else 0.25
    every, first = Rate(0, 0), Rate(0, 0)
    while every.total < judgements:
        source = noise(count, draws)
        found = flagged([next(source) for _ in range(sub_runs)], spread)
        every += Rate(sum(found), count)
        first += Rate(int(found[0]), 1)
    return every, first


def main() -> None:
    """Print the table."""
    judgements = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    counts = [int(text) for text in sys.argv[2:]] or [3, 4, 6, 16]
    print(f"per cent flagged (of the first provider, where it differs), {judgements} judgements each, asked 1 %")
    for count in counts:
        print(f"n = {count:2}                  " + "".join(f"{f'm = {m}':>16}" for m in (1, 4, 12)), flush=True)
        for kind in [*KINDS, "", *UNPROMISED]:
            if not kind:
                print("----")
                continue
            one_differs = any(word in kind for word in ("always", "others"))
            print(f"{kind:24}", end="")
            for sub_runs in (1, 4, 12):
                every, first = rates(kind, count, sub_runs, judgements)
                low, high = every.interval()
                words = f"{100 * (every.value or 0):.2f} ({100 * low:.1f}–{100 * high:.1f})"
                words += f" [{100 * (first.value or 0):.1f}]" if one_differs else ""
                print(f"{words:>24}", end="", flush=True)
            print(flush=True)


if __name__ == "__main__":
    main()
