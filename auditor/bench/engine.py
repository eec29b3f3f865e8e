"""Carries a benchmark out: train, measure, judge. What is there already is not done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.bench.adversaries import Member, members_of
from auditor.bench.committees import JudgingOrder, Pool, Tally, judge_committees
from auditor.bench.pools import Execution, Layout, Start
from auditor.bench.settings import Setting, settings_of
from auditor.bench.specification import Benchmark
from auditor.bench.usual import usual_attacks
from auditor.bench.work import WAYS, MeasuringOrder, Place, TrainingOrder, Way, compare, train
from auditor.bench.workers import in_parallel
from auditor.job.errors import JobError, Problem
from auditor.job.model import Job
from auditor.plugins.discovery import Catalogue
from auditor.training.data import load_dataset


@dataclass(frozen=True)
class Progress:
    """How far a benchmark is.

    Attributes:
        stage: what is being done.
        done: units of it.
        total: of so many.
        unit: what is counted.
    """

    stage: str
    done: int
    total: int
    unit: str


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

    setting: Setting
    tally: Tally
    pools: tuple[str, ...]
    trainings: tuple[int, int]
    distances: tuple[str, ...]


@dataclass(frozen=True)
class Capability:
    """What a returned model can do.

    Attributes:
        member: who returned it.
        start: what it started from, in words.
        randomness: who drew the seeds.
        steps: the length of the sub-run.
        accuracy: on held-out samples.
        success: of its attack; None without one.
        file: the name of the checkpoint.
    """

    member: str
    start: str
    randomness: str
    steps: int
    accuracy: float
    success: float | None
    file: str


class Bench:
    """A benchmark with everything it needs; `run` carries it out.

    Args:
        benchmark: what to measure.
        job: what it is measured on.
        folder: where its files are.
        downloads: the folder for datasets.
        device: where models are trained and compared.
        workers: processes.

    Raises:
        JobError: the benchmark asks for something impossible.
        TrainingError: the dataset cannot be had.
        PluginError: an attack cannot be had.
    """

    def __init__(
        self, benchmark: Benchmark, job: Job, folder: Path, downloads: Path, *, device: str, workers: int
    ) -> None:
        self.benchmark = benchmark
        self.job = job
        self.settings = settings_of(benchmark, job)
        self._workers = workers
        plugins = Catalogue(job.plugins)
        classes = load_dataset(job.task, downloads).classes
        attacks = benchmark.attacks or usual_attacks(job)
        self.members = members_of(benchmark.pool.benign, attacks, classes, plugins)
        versions = {
            f"{one.kind} {one.name}": one.version for kind in ("attacks", "metrics") for one in plugins.origins(kind)
        }
        self.layout = Layout(folder, benchmark, job, versions)
        self._place = Place(job.task, job.training, downloads, self.layout.measurement_seed, plugins, device)
        self._starts = self._choose_starts()
        largest = max(setting.malicious for setting in self.settings)
        adversaries = [member for member in self.members if member.malicious]
        if largest > len(adversaries):
            problem = (
                f"committees with {largest} malicious members need as many adversaries; there are {len(adversaries)}."
            )
            raise JobError(benchmark.name, [Problem(problem, key="attacks")])

    def run(self) -> Generator[Progress, None, list[Result]]:
        """Train, measure and judge, telling how far it is.

        Raises:
            Exception: whatever training or a metric raises; what was done is kept.
        """
        yield from self._carry_out("training what sub-runs start from", train, list(self._start_orders()), "steps")
        yield from self._carry_out("training what is returned", train, list(self._return_orders()), "steps")
        yield from self._carry_out("comparing", compare, list(self._measuring_orders()), "models")
        return (yield from self._judge())

    def capabilities(self) -> Iterator[Capability]:
        """What every returned model can do."""
        for pool in self._pools():
            for execution in pool:
                for steps in self._lengths:
                    facts = json.loads(self.layout.facts(execution, steps).read_text())
                    file = self.layout.returned(execution, steps).name
                    start, name = execution.start.label, execution.member.name
                    yield Capability(
                        name, start, execution.randomness, steps, facts["accuracy"], facts["success"], file
                    )

    @property
    def _lengths(self) -> list[int]:
        return sorted({setting.sub_run_steps for setting in self.settings})

    def _choose_starts(self) -> tuple[int, ...]:
        """The steps that sub-runs begin at: as given, or evenly over the training at boundaries of sub-runs."""
        if self.benchmark.pool.starts is not None:
            return self.benchmark.pool.starts
        count = max(setting.replicated for setting in self.settings)
        steps, longest = self.job.training.steps, max(self._lengths)
        last = (steps - longest) // longest
        return tuple(round((index + 0.5) * last / count) * longest for index in range(count))

    def _histories(self) -> list[Member | None]:
        if self.benchmark.pool.history == "honest":
            return [None]
        return [member for member in self.members if member.malicious]

    def _all_starts(self) -> list[list[Start]]:
        """For each training, the starts taken from it."""
        return [
            [Start(repetition, step, history) for step in self._starts]
            for history in self._histories()
            for repetition in range(self.benchmark.pool.repetitions)
        ]

    def _start_orders(self) -> Iterator[tuple[int, TrainingOrder]]:
        trainings = self._all_starts()
        way = Way(threads=max(1, self._workers // len(trainings)))
        for starts in trainings:
            history = starts[0].history
            missing = [one for one in sorted(starts, key=lambda one: one.step) if not self.layout.start(one).exists()]
            if missing:
                order = TrainingOrder(
                    self._place,
                    None if history is None else history.attack,
                    self.layout.training_seed(starts[0]),
                    way,
                    None,
                    self.job.audit.sub_run_steps,
                    tuple((one.step, self.layout.start(one)) for one in missing),
                    evaluate=False,
                )
                yield max(one.step for one in missing), order

    def _pools(self) -> Iterator[list[Execution]]:
        """All executions from each start under each randomness."""
        kinds = dict.fromkeys(setting.randomness for setting in self.settings)
        for starts in self._all_starts():
            for start in starts:
                there = [one for one in self.members if not one.malicious or start.history in (None, one)]
                for randomness in kinds:
                    yield [Execution(start, randomness, member) for member in there]

    def _return_orders(self) -> Iterator[tuple[int, TrainingOrder]]:
        for pool in self._pools():
            for execution in pool:
                missing = [steps for steps in self._lengths if not self.layout.facts(execution, steps).exists()]
                # What an attack does may depend on k, so that it executes every length by itself.
                parts = [[steps] for steps in missing] if execution.member.malicious else [missing] if missing else []
                for part in parts:
                    yield max(part), self._return_order(execution, part)

    def _return_order(self, execution: Execution, lengths: list[int]) -> TrainingOrder:
        member, first = execution.member, execution.start.step
        numerics = execution.randomness == "client" and not member.malicious
        return TrainingOrder(
            self._place,
            member.attack,
            self.layout.seed(execution),
            WAYS[member.number % len(WAYS)] if numerics else Way(),
            self.layout.start(execution.start),
            lengths[-1],
            tuple((first + steps, self.layout.returned(execution, steps)) for steps in lengths),
            evaluate=True,
        )

    def _measuring_orders(self) -> Iterator[tuple[int, MeasuringOrder]]:
        for pool in self._pools():
            for steps in self._lengths:
                for table in self._metric_tables():
                    path = self.layout.distances(pool, steps, json.loads(table))
                    if path.exists():
                        continue
                    start = pool[0].start
                    order = MeasuringOrder(
                        self._place,
                        json.loads(table),
                        self.layout.start(start),
                        start.step,
                        steps,
                        tuple((one.member.name, self.layout.returned(one, steps)) for one in pool),
                        path,
                    )
                    yield len(pool), order

    def _metric_tables(self) -> list[str]:
        tables = [
            json.dumps({"name": use.name, **use.options}, sort_keys=True)
            for setting in self.settings
            for use in setting.metrics
        ]
        return list(dict.fromkeys(tables))

    def _carry_out(
        self, stage: str, work: Callable[[Any], object], orders: Sequence[tuple[int, Any]], unit: str
    ) -> Iterator[Progress]:
        total, done = sum(size for size, _ in orders), 0
        sizes = {id(order): size for size, order in orders}
        # The longest first, so that no process is left alone with one at the end.
        ordered = [order for _, order in sorted(orders, key=lambda one: -one[0])]
        if ordered:
            yield Progress(stage, 0, total, unit)
        for order, _ in in_parallel(work, ordered, self._workers):
            done += sizes[id(order)]
            yield Progress(stage, done, total, unit)

    def _judge(self) -> Generator[Progress, None, list[Result]]:
        stage, total = "judging", len(self.settings)
        orders = [self._judging_order(index, setting) for index, setting in enumerate(self.settings)]
        orders.sort(key=lambda order: -order.setting.participants)
        found: dict[int, Tally] = {}
        yield Progress(stage, 0, total, "settings")
        for order, tally in in_parallel(judge_committees, orders, self._workers):
            found[order.index] = tally
            yield Progress(stage, len(found), total, "settings")
        pools = {order.index: order.pools for order in orders}
        return [self._result(setting, found[index], pools[index]) for index, setting in enumerate(self.settings)]

    def _judging_order(self, index: int, setting: Setting) -> JudgingOrder:
        pools = tuple(self._pool(starts, setting) for starts in self._all_starts())
        return JudgingOrder(index, setting, pools, self.benchmark.judged, self.benchmark.seed)

    def _result(self, setting: Setting, tally: Tally, pools: Sequence[Pool]) -> Result:
        honest = sum(len(pool.honest) * len(pool.matrices) for pool in pools)
        malicious = sum(len(pool.malicious) * len(pool.matrices) for pool in pools)
        files = sorted({path.name for pool in pools for start in pool.matrices for path in start.values()})
        return Result(setting, tally, tuple(pool.label for pool in pools), (honest, malicious), tuple(files))

    def _pool(self, starts: list[Start], setting: Setting) -> Pool:
        first = starts[0]
        there = [one for one in self.members if not one.malicious or first.history in (None, one)]
        matrices = []
        for start in starts:
            executions = [Execution(start, setting.randomness, member) for member in there]
            matrices.append(
                {
                    table: self.layout.distances(executions, setting.sub_run_steps, json.loads(table))
                    for table in self._metric_tables()
                }
            )
        whose = "honest" if first.history is None else first.history.name
        return Pool(
            f"repetition {first.repetition}, {whose} history",
            tuple(member.name for member in there if not member.malicious),
            {member.name: member.kind for member in there if member.malicious},
            matrices,
        )
