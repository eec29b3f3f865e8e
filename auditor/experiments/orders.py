"""What is to be done for a benchmark: every order that nobody has carried out yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from auditor.base.seeds import Seeds
from auditor.experiments.adversaries import Member
from auditor.experiments.bench_settings import BenchSetting
from auditor.experiments.pools import Execution, Layout, Start
from auditor.experiments.specification import Benchmark
from auditor.experiments.work import (
    ARITHMETICS,
    Arithmetic,
    InspectionOrder,
    MeasuringOrder,
    SketchingOrder,
    TrainingOrder,
    Workbench,
)
from auditor.job.model import Job


class Orders:
    """Knows which models and distances the settings of a benchmark need, and which of them are missing.

    Args:
        benchmark: what is measured.
        job: what it is measured on.
        settings: the combinations that are judged.
        members: everybody.
        layout: where files are.
        workbench: what all work shares.
        workers: processes that the work is shared by.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        job: Job,
        settings: Sequence[BenchSetting],
        members: Sequence[Member],
        layout: Layout,
        workbench: Workbench,
        workers: int,
    ) -> None:
        self._benchmark = benchmark
        self._job = job
        self._settings = settings
        self._members = members
        self._layout = layout
        self._workbench = workbench
        self._workers = workers
        self._starts = self._choose_starts()

    @property
    def lengths(self) -> list[int]:
        """Every k that is asked for, the shortest first."""
        return sorted({setting.sub_run_steps for setting in self._settings})

    def _choose_starts(self) -> tuple[int, ...]:
        """The steps that sub-runs begin at: as given, or evenly over the training at boundaries of sub-runs."""
        if self._benchmark.pool.starts is not None:
            return self._benchmark.pool.starts
        count = max(setting.replicated for setting in self._settings)
        steps, longest = self._job.training.steps, max(self.lengths)
        last = (steps - longest) // longest
        return tuple(round((index + 0.5) * last / count) * longest for index in range(count))

    def _histories(self) -> list[Member | None]:
        if self._benchmark.pool.history == "honest":
            return [None]
        return [member for member in self._members if member.malicious]

    def trainings(self) -> list[list[Start]]:
        """For each training, the starts taken from it."""
        return [
            [Start(repetition, step, history) for step in self._starts]
            for history in self._histories()
            for repetition in range(self._benchmark.pool.repetitions)
        ]

    def starts(self) -> Iterator[tuple[int, TrainingOrder]]:
        """Train what sub-runs start from; each with its steps."""
        trainings = self.trainings()
        arithmetic = Arithmetic(threads=max(1, self._workers // len(trainings)))
        for starts in trainings:
            history = starts[0].history
            missing = [
                start
                for start in sorted(starts, key=lambda start: start.step)
                if not self._layout.start(start).exists()
            ]
            if missing:
                order = TrainingOrder(
                    self._workbench,
                    None if history is None else history.attack,
                    self._layout.training_seed(starts[0]),
                    arithmetic,
                    None,
                    self._job.audit.sub_run_steps,
                    tuple((start.step, self._layout.start(start)) for start in missing),
                    evaluate=False,
                )
                yield max(start.step for start in missing), order

    def pools(self) -> Iterator[list[Execution]]:
        """All executions from each start with each kind of seeds."""
        kinds = dict.fromkeys(setting.seeds for setting in self._settings)
        for starts in self.trainings():
            for start in starts:
                there = [member for member in self._members if not member.malicious or start.history in (None, member)]
                for seeds in kinds:
                    yield [Execution(start, seeds, member) for member in there]

    def returns(self) -> Iterator[tuple[int, TrainingOrder]]:
        """Train what is returned; each with its steps."""
        for pool in self.pools():
            for execution in pool:
                missing = [steps for steps in self.lengths if not self._layout.facts(execution, steps).exists()]
                # What an attack does may depend on k, so that it executes every length by itself.
                parts = [[steps] for steps in missing] if execution.member.malicious else [missing] if missing else []
                for part in parts:
                    yield max(part), self._return_order(execution, part)

    def _return_order(self, execution: Execution, lengths: list[int]) -> TrainingOrder:
        member, first = execution.member, execution.start.step
        numerics = execution.seeds is Seeds.SHARED and not member.malicious
        return TrainingOrder(
            self._workbench,
            member.attack,
            self._layout.seed(execution),
            ARITHMETICS[member.number % len(ARITHMETICS)] if numerics else Arithmetic(),
            self._layout.start(execution.start),
            lengths[-1],
            tuple((first + steps, self._layout.returned(execution, steps)) for steps in lengths),
            evaluate=True,
        )

    def comparisons(self) -> Iterator[tuple[int, MeasuringOrder]]:
        """Measure distances; each with its number of models."""
        for pool in self.pools():
            for steps in self.lengths:
                for table in self.metric_tables():
                    path = self._layout.distances(pool, steps, json.loads(table))
                    if path.exists():
                        continue
                    start, shared = pool[0].start, pool[0].seeds is Seeds.SHARED
                    order = MeasuringOrder(
                        self._workbench,
                        json.loads(table),
                        self._layout.start(start),
                        self._layout.seed(pool[0]) if shared else None,
                        steps,
                        tuple((execution.member.name, self._layout.returned(execution, steps)) for execution in pool),
                        path,
                    )
                    yield len(pool), order

    def sketches(self) -> Iterator[tuple[int, SketchingOrder]]:
        """Sketch what providers with own seeds returned; each with its number of models."""
        for pool in self.pools():
            if pool[0].seeds is not Seeds.OWN:
                continue
            for steps in self.lengths:
                path = self._layout.sketches(pool, steps)
                if not path.exists():
                    start = self._layout.start(pool[0].start)
                    returned = tuple(
                        (execution.member.name, self._layout.returned(execution, steps)) for execution in pool
                    )
                    yield len(pool), SketchingOrder(self._workbench, start, returned, path)

    def inspections(self) -> Iterator[tuple[int, InspectionOrder]]:
        """Look at each returned model by itself; each counts as one."""
        for use in self._benchmark.inspectors:
            table = use.table
            for pool in self.pools():
                for execution in pool:
                    for steps in self.lengths:
                        path = self._layout.inspection(execution, steps, table)
                        if not path.exists():
                            start, returned = (
                                self._layout.start(execution.start),
                                self._layout.returned(execution, steps),
                            )
                            yield 1, InspectionOrder(self._workbench, table, start, returned, path)

    def metric_tables(self) -> list[str]:
        """Every metric with its options, as JSON."""
        return list(dict.fromkeys(use.key for setting in self._settings for use in setting.metrics))
