"""Carries a benchmark out: train, measure, judge. What is there already is not done again."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from filecmp import cmp
from functools import cache
from importlib.metadata import version
from pathlib import Path

from auditor.base.seeds import Seeds
from auditor.experiments.adversaries import Member, members_of
from auditor.experiments.bench_settings import BenchSetting, settings_of
from auditor.experiments.code import code_digest, plugin_version
from auditor.experiments.committees import JudgingOrder, Measurement, Pool, Tally, judge_committees
from auditor.experiments.default_attacks import default_attacks
from auditor.experiments.findings import Capability, Compared, Result
from auditor.experiments.orders import Orders
from auditor.experiments.pools import Execution, Layout, Start
from auditor.experiments.progress import Progress
from auditor.experiments.specification import Benchmark
from auditor.experiments.stages import carry_out_stage
from auditor.experiments.work import Workbench, compare, draw_sketches, inspect, train
from auditor.experiments.workers import Workers
from auditor.job.errors import JobError, Problem
from auditor.job.model import Job
from auditor.plugins.catalogue import KINDS, Catalogue
from auditor.tasks.program import load_program


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
        PluginError: a plugin cannot be had, or not with these options.
    """

    def __init__(
        self, benchmark: Benchmark, job: Job, folder: Path, downloads: Path, *, device: str, workers: int
    ) -> None:
        self.benchmark = benchmark
        self.job = job
        self.settings = settings_of(benchmark, job)
        self._workers = workers
        plugins = Catalogue(job.plugins)
        program = load_program(job.task, downloads)
        attacks = benchmark.attacks or default_attacks(job)
        self.members = members_of(benchmark.pool.benign, attacks, program.classes, plugins)
        self._try_plugins(plugins)
        versions = {
            f"{origin.kind} {origin.name}": plugin_version(origin) for kind in KINDS for origin in plugins.origins(kind)
        }
        codes = " ".join(code_digest(module) for module in (train.__module__, type(program).__module__))
        computing = f"{codes}, PyTorch {version('torch')}, data {program.digest}"
        self.layout = Layout(folder, benchmark, job, computing, versions)
        workbench = Workbench(job.task, job.training, downloads, self.layout.measurement_seed, plugins, device)
        self.orders = Orders(benchmark, job, self.settings, self.members, self.layout, workbench, workers)
        largest = max(setting.malicious for setting in self.settings)
        adversaries = [member for member in self.members if member.malicious]
        if largest > len(adversaries):
            problem = (
                f"committees with {largest} malicious members need at least as many adversaries; the benchmark has "
                f"{len(adversaries)}."
            )
            raise JobError(benchmark.name, [Problem(problem, key="attacks")])

    def _try_plugins(self, plugins: Catalogue) -> None:
        """Make every plugin once with its options, so that mistakes show before anything is trained."""
        for member in self.members:
            if member.attack is not None:
                plugins.create_attack(member.attack)
        for use in {use.name: use for setting in self.settings for use in setting.metrics}.values():
            plugins.create("metrics", use.name, use.options)
        for use in self.benchmark.inspectors:
            plugins.create("inspectors", use.name, use.options)

    def run(self) -> Generator[Progress, None, list[Result]]:
        """Train, measure and judge, telling how far it is.

        Raises:
            Exception: whatever training or a metric raises; what was done is kept.
        """
        with Workers(self._workers) as workers:
            for stage, work, orders, unit in (
                ("training the starts of sub-runs", train, self.orders.starts, "steps"),
                ("training the returned models", train, self.orders.returns, "steps"),
                ("comparing", compare, self.orders.comparisons, "models"),
                ("sketching", draw_sketches, self.orders.sketches, "models"),
                ("inspecting", inspect, self.orders.inspections, "models"),
            ):
                yield from carry_out_stage(workers, stage, work, list(orders()), unit)
            return (yield from self._judge(workers))

    def capabilities(self) -> Iterator[Capability]:
        """What every returned model can do."""
        for pool in self.orders.pools():
            for execution in pool:
                for steps in self.orders.lengths:
                    yield self._capability(execution, steps)

    def distances(self) -> Iterator[Compared]:
        """All distances that were measured."""
        for pool in self.orders.pools():
            members = {execution.member.name: execution.member for execution in pool}
            for steps in self.orders.lengths:
                for table in self.orders.metric_tables():
                    metric = json.loads(table)
                    measurement = Measurement.read(self.layout.distances(pool, steps, metric))
                    start = pool[0].start.label
                    yield Compared(metric["name"], pool[0].seeds, steps, start, members, measurement)

    def _capability(self, execution: Execution, steps: int) -> Capability:
        facts = json.loads(self.layout.facts(execution, steps).read_text())
        inspected = {
            use.name: json.loads(self.layout.inspection(execution, steps, use.table).read_text())
            for use in self.benchmark.inspectors
        }
        return Capability(
            member=execution.member.name,
            malicious=execution.member.malicious,
            start=execution.start.label,
            seeds=execution.seeds,
            steps=steps,
            accuracy=facts["accuracy"],
            success=facts["success"],
            file=self.layout.returned(execution, steps).name,
            inspected=inspected,
        )

    def _judge(self, workers: Workers) -> Generator[Progress, None, list[Result]]:
        stage, total = "judging", len(self.settings)
        orders = [self._judging_order(index, setting) for index, setting in enumerate(self.settings)]
        orders.sort(key=lambda order: -order.setting.participants)
        found: dict[int, Tally] = {}
        yield Progress(stage, 0, total, "settings")
        for order, tally in workers.carry_out(judge_committees, orders):
            found[order.index] = tally
            yield Progress(stage, len(found), total, "settings")
        pools = {order.index: order.pools for order in orders}
        return [self._result(setting, found[index], pools[index]) for index, setting in enumerate(self.settings)]

    def _judging_order(self, index: int, setting: BenchSetting) -> JudgingOrder:
        pools = tuple(self._pool(starts, setting) for starts in self.orders.trainings())
        return JudgingOrder(index, setting, pools, self.benchmark.judged, self.benchmark.seed)

    def _result(self, setting: BenchSetting, tally: Tally, pools: Sequence[Pool]) -> Result:
        honest = sum(len(pool.honest) * len(pool.matrices) for pool in pools)
        malicious = sum(len(pool.malicious) * len(pool.matrices) for pool in pools)
        files = sorted({path.name for pool in pools for start in pool.matrices for path in start.values()})
        return Result(setting, tally, tuple(pool.label for pool in pools), (honest, malicious), tuple(files))

    def _pool(self, starts: list[Start], setting: BenchSetting) -> Pool:
        first = starts[0]
        there = [member for member in self.members if not member.malicious or first.history in (None, member)]
        matrices, sketches = [], []
        for start in starts:
            executions = [Execution(start, setting.seeds, member) for member in there]
            matrices.append(
                {
                    table: self.layout.distances(executions, setting.sub_run_steps, json.loads(table))
                    for table in self.orders.metric_tables()
                }
            )
            if setting.seeds is Seeds.OWN:
                sketches.append(self.layout.sketches(executions, setting.sub_run_steps))
        whose = "honest" if first.history is None else first.history.name
        return Pool(
            f"repetition {first.repetition}, {whose} history",
            tuple(member.name for member in there if not member.malicious),
            {member.name: member.kind for member in there if self._acts(member, starts, setting)},
            matrices,
            sketches,
        )

    def _acts(self, member: Member, starts: Sequence[Start], setting: BenchSetting) -> bool:
        """Whether a member is an adversary that acts in every sub-run.

        With the client's seeds one that does nothing returns what an honest provider returns, to the last bit.
        """
        if not member.malicious or setting.seeds is Seeds.OWN:
            return member.malicious
        honest = self.members[0]  # computes as adversaries do
        returned = [
            tuple(
                self.layout.returned(Execution(start, Seeds.SHARED, executor), setting.sub_run_steps)
                for executor in (member, honest)
            )
            for start in starts
        ]
        return not any(_same(*paths) for paths in returned)


@cache
def _same(first: Path, second: Path) -> bool:
    """Whether two files hold the same bytes; what is in a benchmark's folder does not change."""
    return cmp(first, second, shallow=False)
