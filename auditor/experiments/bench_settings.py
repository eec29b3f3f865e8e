"""The settings of a benchmark: every combination of what its grid varies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from auditor.base.majority import counted_on
from auditor.base.seeds import Seeds
from auditor.experiments.specification import Benchmark, CommitteeSpec, DecisionName
from auditor.job.errors import JobError, Problem
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse

USUAL_SUB_RUNS = 4
"""More sub-runs than that are judged together only if a benchmark asks for it: each is trained by everybody."""


@dataclass(frozen=True)
class BenchSetting:
    """How an audit would be made.

    Attributes:
        seeds: whether all members train with the same.
        sub_run_steps: k.
        participants: n.
        malicious: how many of the n are.
        benign_fraction: r, as the decision assumes it.
        referee: whether the third of three is asked only where the other two disagree.
        replicated: m, sub-runs that are judged together.
        metrics: judged together.
        decision: the rule.
        false_alarm_rate: that it is asked for.
    """

    seeds: Seeds
    sub_run_steps: int
    participants: int
    malicious: int
    benign_fraction: float
    referee: bool
    replicated: int
    metrics: tuple[PluginUse, ...]
    decision: DecisionName
    false_alarm_rate: float

    @property
    def metric_names(self) -> str:
        """The metrics, joined by a plus."""
        return "+".join(use.name for use in self.metrics)

    @property
    def extra_steps(self) -> int:
        """m·k·(n − 1), what the audit adds to the training; without the referee, who is seldom asked."""
        return self.replicated * self.sub_run_steps * (1 if self.referee else self.participants - 1)

    @property
    def size(self) -> str:
        """n; `2+1` with a referee."""
        return "2+1" if self.referee else str(self.participants)

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"metrics": [use.table for use in self.metrics]}


def settings_of(benchmark: Benchmark, job: Job) -> list[BenchSetting]:
    """Every setting, in the order of the grid.

    Raises:
        JobError: a setting asks for more members than the pool has, or for what no committee can be.
    """
    grid = benchmark.grid
    own = job.audit.metrics
    chosen = grid.metrics or (*((use,) for use in own), *((own,) if len(own) > 1 else ()))
    settings = []
    for seeds, steps, committee, m, metrics, decision in product(
        grid.seeds or (job.audit.seeds,),
        grid.sub_run_steps or (job.audit.sub_run_steps,),
        grid.committees or _own_committees(benchmark, job),
        grid.replicated or tuple(sorted({1, min(USUAL_SUB_RUNS, job.replicated or 1)})),
        chosen,
        grid.decisions,
    ):
        _check(benchmark, committee, m, seeds)
        benign = committee.participants - committee.malicious
        settings.append(
            BenchSetting(
                seeds=seeds,
                sub_run_steps=steps,
                participants=committee.participants,
                malicious=committee.malicious,
                benign_fraction=committee.benign_fraction
                or (benign / committee.participants if committee.malicious else job.benign_fraction),
                referee=committee.referee,
                replicated=m,
                metrics=metrics,
                decision=decision,
                false_alarm_rate=benchmark.false_alarm_rate or job.audit.false_alarm_rate,
            )
        )
    return settings


def _own_committees(benchmark: Benchmark, job: Job) -> tuple[CommitteeSpec, ...]:
    """The job's n with as many malicious ones as it does not count on, and all of them benign."""
    count = max(3, job.participants)
    outnumbered = count - counted_on(job.benign_fraction, count)
    malicious = 1 if benchmark.pool.history == "attacked" else max(1, outnumbered)
    fraction = job.benign_fraction
    return tuple(
        CommitteeSpec(participants=count, malicious=number, benign_fraction=fraction) for number in (malicious, 0)
    )


def _check(benchmark: Benchmark, committee: CommitteeSpec, replicated: int, seeds: Seeds) -> None:
    problem = None
    starts = benchmark.pool.starts
    benign = committee.participants - committee.malicious
    if benign < 2 and committee.participants > 2:
        problem = Problem(
            f"{committee.malicious} malicious members of {committee.participants} leave fewer than two benign ones; "
            "lower malicious, or raise participants.",
            key="grid.committees",
        )
    elif committee.referee and seeds is Seeds.OWN:
        problem = Problem(
            "a referee needs the client's seeds; two providers that draw their own seeds always differ.",
            key="grid.committees",
        )
    elif benign > benchmark.pool.benign:
        problem = Problem(
            f"committees of {committee.participants} with {committee.malicious} malicious need {benign} honest "
            f"executions; set it to {benign} or more.",
            key="pool.benign",
        )
    elif starts is not None and replicated > len(starts):
        problem = Problem(
            f"{replicated} sub-runs cannot be judged together, because there are only {len(starts)} starts.",
            key="pool.starts",
        )
    if problem is not None:
        raise JobError(benchmark.name, [problem])
