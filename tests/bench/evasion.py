"""What it costs an adversary that knows of directions to evade them: `python -m tests.bench.evasion`.

Simulated models, n = 4, r = 0.67, asked 1 %; the adversary is pulled by as much as the honest scatter, times a factor.
It acts in some of the replicated sub-runs only, or is pulled another way in each of several groups of them, or turns
its pull around in every other one. Per cent of audits in which it is flagged, and of honest providers that are. It
prints a table and asserts nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions
from auditor.decisions.direction import Sketches, look_at_directions
from auditor.decisions.error_budget import Budget
from auditor.decisions.rules import direction_tells

ASKED, AUDITS, DIMENSIONS = 0.01, 200, 200
Way = Callable[[int, int], tuple[int, float]]
"""From the sub-run and m to the axis that it is pulled along and by how much of its pull."""

WAYS: dict[str, Way] = {
    "always the same way": lambda index, of: (0, 1.0),
    "in three quarters of them": lambda index, of: (0, float(index < 0.75 * of)),
    "in half of them": lambda index, of: (0, float(index < 0.5 * of)),
    "in a quarter of them": lambda index, of: (0, float(index < 0.25 * of)),
    "two ways in turn": lambda index, of: (index % 2, 1.0),
    "three ways in turn": lambda index, of: (index % 3, 1.0),
    "another way each time": lambda index, of: (index, 1.0),
    "forth and back, sums to 0": lambda index, of: (0, (-1.0) ** index),
}


def flagged(way: Way, pull: float, count: int, sub_runs: int, draws: np.random.Generator) -> list[bool]:
    """Who is flagged by its direction; the first is the adversary."""
    names, sketches = tuple(f"p{index}" for index in range(count)), []
    for index in range(sub_runs):
        models = draws.standard_normal((count, DIMENSIONS)) / np.sqrt(DIMENSIONS)
        axis, share = way(index, sub_runs)
        models[0, axis] += pull * share
        sketches.append(Sketches(index, names, models))
    budget = Budget(sub_runs, True, 1, direction_tells(count, sub_runs, ASKED))
    looks = look_at_directions(sketches, budget, Assumptions(0.67, Seeds.OWN, ASKED), ended=True)
    return [any(look.p_value <= ASKED * look.share for look in looks.get(name, [])) for name in names]


def main() -> None:
    """Print the table."""
    print("per cent flagged / honest flagged; pull in units of the honest scatter, n = 4")
    columns = [(pull, sub_runs) for sub_runs in (4, 6, 12) for pull in (0.5, 1.0)]
    print(f"{'':28}" + "".join(f"{f'm={m} pull={pull:g}':>16}" for pull, m in columns))
    for name, way in WAYS.items():
        print(f"{name:28}", end="", flush=True)
        for pull, sub_runs in columns:
            draws = np.random.default_rng([int(10 * pull), sub_runs])
            found = np.array([flagged(way, pull, 4, sub_runs, draws) for _ in range(AUDITS)])
            print(f"{f'{100 * found[:, 0].mean():.0f} / {100 * found[:, 1:].mean():.1f}':>16}", end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
