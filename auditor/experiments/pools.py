"""The models that a benchmark needs: where each sub-run starts, who executes it, and where the result lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.base.randomness import key
from auditor.base.seeds import Seeds
from auditor.experiments.adversaries import Member
from auditor.experiments.content_name import content_name
from auditor.experiments.specification import Benchmark
from auditor.job.model import Job


@dataclass(frozen=True)
class Start:
    """A checkpoint that sub-runs begin with.

    Attributes:
        repetition: which independent training it is taken from.
        step: how far that training was.
        history: whose training it was; None for an honest one.
    """

    repetition: int
    step: int
    history: Member | None

    @property
    def label(self) -> str:
        """For people."""
        whose = "an honest training" if self.history is None else f"a training by {self.history.name}"
        return f"step {self.step} of {whose}, repetition {self.repetition}"


@dataclass(frozen=True)
class Execution:
    """One member executing sub-runs from one start; shorter ones are saved on the way to the longest.

    Attributes:
        start: where it begins.
        seeds: whether all train with the same.
        member: who executes it.
    """

    start: Start
    seeds: Seeds
    member: Member


class Layout:
    """Names every file of a benchmark after all that determines what it holds.

    A file that is there is right: a change of the benchmark, the job, its data, the code or a plugin gives another
    name. So an interrupted benchmark goes on where it was, and a changed one uses again what still holds.

    Args:
        folder: of the benchmark.
        benchmark: its specification.
        job: what is trained.
        computing: digests and versions of all that trains and compares, and of what is learned.
        versions: likewise of each plugin, by kind and name.
    """

    def __init__(
        self, folder: Path, benchmark: Benchmark, job: Job, computing: str, versions: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self._trained = {
            "task": job.task.model_dump(mode="json"),
            "training": job.training.model_dump(mode="json"),
            "seeds": [benchmark.seed, job.seed],
            "computing": computing,
        }
        self._versions = dict(versions)
        self._seed = benchmark.seed

    def training_seed(self, start: Start) -> int:
        """What the training that a start is taken from draws with."""
        return key(self._seed, f"bench training {start.repetition}", 0) % 2**63

    def seed(self, execution: Execution) -> int:
        """What an execution draws with: the client's seed, or the member's own."""
        who = "client" if execution.seeds is Seeds.SHARED else execution.member.name
        return key(self._seed, f"bench {who} {execution.start.repetition} {execution.start.step}", 0) % 2**63

    @property
    def measurement_seed(self) -> int:
        """What metrics draw their samples with."""
        return key(self._seed, "bench measurement", 0) % 2**56

    def start(self, start: Start) -> Path:
        """The checkpoint of a start."""
        return self._file("starts", "safetensors", self._start(start))

    def returned(self, execution: Execution, steps: int) -> Path:
        """What a member returned after `steps` steps."""
        return self._file("returns", "safetensors", self._execution(execution, steps))

    def facts(self, execution: Execution, steps: int) -> Path:
        """What its model can do."""
        return self.returned(execution, steps).with_suffix(".json")

    def distances(self, executions: list[Execution], steps: int, metric: Mapping[str, Any]) -> Path:
        """The distances among all that were returned for one sub-run, under one metric."""
        parts = [self._execution(execution, steps) for execution in executions]
        content = {"metric": dict(metric), "version": self._version("metrics", metric), "returned": parts}
        return self._file("distances", "json", content)

    def sketches(self, executions: list[Execution], steps: int) -> Path:
        """The sketches of all that were returned for one sub-run."""
        parts = [self._execution(execution, steps) for execution in executions]
        return self._file("sketches", "json", {"seed": self.measurement_seed, "returned": parts})

    def inspection(self, execution: Execution, steps: int, inspector: Mapping[str, Any]) -> Path:
        """What an inspector found in what a member returned."""
        version = self._version("inspectors", inspector)
        content = {"inspector": dict(inspector), "version": version, "returned": self._execution(execution, steps)}
        return self._file("inspections", "json", content)

    def _start(self, start: Start) -> dict[str, Any]:
        history = None if start.history is None else [start.history.name, *self._attack(start.history)]
        return self._trained | {"start": [start.repetition, start.step, history]}

    def _execution(self, execution: Execution, steps: int) -> dict[str, Any]:
        member = execution.member
        who = [member.name, *self._attack(member), member.number]
        return self._start(execution.start) | {"by": who, "seeds": execution.seeds, "steps": steps}

    def _attack(self, member: Member) -> list[Any]:
        """An adversary's attack, and the versions of it and of those that it wraps."""
        versions, table = [], member.attack
        while isinstance(table, Mapping):
            versions.append(self._version("attacks", table))
            table = table.get("attack")
        return [member.attack, versions]

    def _version(self, kind: str, table: Mapping[str, Any]) -> str | None:
        return self._versions.get(f"{kind} {table['name']}")

    def _file(self, kind: str, suffix: str, content: dict[str, Any]) -> Path:
        return self.folder / kind / f"{content_name(content)}.{suffix}"
