"""What a benchmark found, as objects: judged settings, what models can do, distances. Reading them needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.base.seeds import Seeds
from auditor.experiments.adversaries import Member
from auditor.experiments.bench_settings import BenchSetting
from auditor.experiments.committees import Measurement, Tally


@dataclass(frozen=True)
class Result:
    """A setting with what was judged in it.

    Attributes:
        setting: how an audit would be made.
        tally: what came out.
        pools: labels of the pools that committees were drawn from.
        trainings: independent trainings of honest and of malicious members in these pools.
        distances: the files that the distances came from.
    """

    setting: BenchSetting
    tally: Tally
    pools: tuple[str, ...]
    trainings: tuple[int, int]
    distances: tuple[str, ...]


@dataclass(frozen=True)
class Capability:
    """What a returned model can do.

    Attributes:
        member: who returned it.
        malicious: whether it attacked.
        start: what it started from, in words.
        seeds: whether all trained with the same.
        steps: the length of the sub-run.
        accuracy: on held-out samples.
        success: of its attack; None without one.
        file: the name of the checkpoint.
        inspected: what each inspector found, as `Inspection` has it; with `failure` alone where it could not look.
    """

    member: str
    malicious: bool
    start: str
    seeds: Seeds
    steps: int
    accuracy: float
    success: float | None
    file: str
    inspected: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Compared:
    """The distances among all models that were returned for one sub-run, under one metric.

    Attributes:
        metric: its name.
        seeds: whether all trained with the same.
        steps: the length of the sub-run.
        start: what it started from, in words.
        members: who returned models, by name.
        measurement: the distances.
    """

    metric: str
    seeds: Seeds
    steps: int
    start: str
    members: Mapping[str, Member]
    measurement: Measurement

    @property
    def benign(self) -> list[int]:
        """The rows of benign members."""
        return [row for name, row in self.measurement.positions.items() if not self.members[name].malicious]

    @property
    def largest_honest(self) -> float:
        """The largest distance between two benign members."""
        return float(self.measurement.values[self.benign][:, self.benign].max())
