"""Executing a sub-run in several ways that are all honest, to see what numerics alone make of it.

Differing processors, libraries and memory layouts round differently, and training amplifies the difference: by how
much depends on the learning rate, the depth, the batch and on how fresh the weights are, and no formula tells. So the
client executes the very steps that it has others execute, on its own machine, in several ways:

- as it would,
- with other kernels and another memory layout, which is what other software and hardware amount to,
- twice as it would, with the output of every layer changed at random by a relative `JITTER`, as if all kernels rounded
  more coarsely than any does. Rounding tells by chance, for instance where it turns one unit of a layer on or off;
  coarser rounding meets such chances more surely than one pair of machines does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from auditor.tasks.checkpoint import encode
from auditor.tasks.learner import Learner
from auditor.tasks.variation import VARIATIONS, Variation

TRIED = 3
"""Steps that are timed before the rest is taken to be as fast."""
FEW = 8
"""Steps that are timed together, beside one alone, where an execution takes long to start."""


@dataclass(frozen=True)
class Rehearsal:
    """A sub-run as it was executed in each of `VARIATIONS`.

    Attributes:
        steps: how many steps were executed, at least one.
        ends: the checkpoints after these, one a variation.
        halfway: those after half of them, for extrapolating; empty where all steps of the sub-run were executed.
    """

    steps: int
    ends: tuple[Path, ...]
    halfway: tuple[Path, ...]


def rehearse(
    learner: Learner, start: Mapping[str, Tensor], steps: int, *, precision: str, seconds: float, folder: Path
) -> Rehearsal:
    """Execute the steps of a sub-run in every way, or as many of them as there is time for.

    Args:
        learner: an honest one with the seed that all providers have.
        start: the checkpoint that the sub-run starts from.
        steps: its length.
        precision: that of the job.
        seconds: what all ways together may take; each executes one step at least.
        folder: where the checkpoints go.
    """
    first = _Executions(learner, folder, precision)
    done = first.count(start, steps, seconds / len(VARIATIONS))
    stops = (done,) if done == steps else tuple(dict.fromkeys((max(1, done // 2), done)))
    results = [first.execute(number, variation, start, stops) for number, variation in enumerate(VARIATIONS)]
    return Rehearsal(
        steps=done,
        ends=tuple(paths[-1] for paths in results),
        halfway=() if done == steps else tuple(paths[0] for paths in results),
    )


class _Executions:
    def __init__(self, learner: Learner, folder: Path, precision: str) -> None:
        self._learner = learner
        self._folder = folder
        self._precision = precision

    def count(self, start: Mapping[str, Tensor], steps: int, seconds: float) -> int:
        """How many of the steps can be executed in `seconds`; at least one."""
        if self._learner.steps_at_once:
            return self._count_at_once(start, steps, seconds)
        self._learner.load(start)
        begun = time.monotonic()
        for done in range(1, steps + 1):
            float(self._learner.execute_step())  # waits for the device
            passed = time.monotonic() - begun
            if passed * (done + 1) / done > seconds:
                return done
            if done >= TRIED and passed * steps / done < seconds:
                return steps
        return steps

    def _count_at_once(self, start: Mapping[str, Tensor], steps: int, seconds: float) -> int:
        """The same where the start of an execution takes long: from the time that one step, and a few, take."""
        begun = self._timed(start, 1)
        if steps == 1 or begun * steps <= seconds:
            return steps
        few = min(steps, FEW)
        a_step = max(self._timed(start, few) - begun, 0.0) / (few - 1)
        return steps if a_step == 0 else max(1, min(steps, 1 + int((seconds - begun) / a_step)))

    def _timed(self, start: Mapping[str, Tensor], steps: int) -> float:
        self._learner.load(start)
        begun = time.monotonic()
        _execute(self._learner, self._learner.step + steps)
        return time.monotonic() - begun

    def execute(
        self, number: int, variation: Variation, start: Mapping[str, Tensor], stops: tuple[int, ...]
    ) -> list[Path]:
        """The checkpoints at each of `stops`, executed in one way."""
        learner, paths = self._learner, []
        with learner.varied(variation, self._precision):
            learner.load(start)
            first = learner.step
            for stop in stops:
                if learner.steps_at_once and learner.step > first:
                    learner.load(start)  # a sub-run that ends there is executed from its start
                _execute(learner, first + stop)
                path = self._folder / f"{number}-{stop}"
                with path.open("wb") as file:
                    for piece in encode(learner.checkpoint(), learner.schema):
                        file.write(piece)
                paths.append(path)
        return paths


def _execute(learner: Learner, until: int) -> None:
    for _ in learner.execute(until):
        pass
