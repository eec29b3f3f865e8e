"""The state of an audit: a pure fold over its events. Nothing else is remembered anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any, Literal

import numpy as np
from pydantic import ValidationError

from auditor.audit import events as e
from auditor.audit.findings import RecordedJudgement
from auditor.audit.sketching import unpacked
from auditor.decisions.direction import Sketches
from auditor.decisions.distances import DistanceMatrix
from auditor.store.errors import DamagedRun
from auditor.store.records import EventRecord

SubRunPhase = Literal["waiting", "training", "committed", "passed", "replicating", "judged", "undecided"]


@dataclass(frozen=True)
class Boundary:
    """A committed checkpoint; `finite` is None until it was opened."""

    step: int
    digest: str
    finite: bool | None = None


@dataclass(frozen=True)
class Replica:
    """One provider's execution of a replicated sub-run; over once it has a digest or a reason.

    `returned` is the number of the event that told of its model.
    """

    execution: str
    digest: str | None = None
    finite: bool = True
    seconds: float | None = None
    failure: str | None = None
    returned: int = 0

    @property
    def over(self) -> bool:
        """Whether it returned or failed."""
        return self.digest is not None or self.failure is not None


@dataclass(frozen=True)
class SubRun:
    """A sub-run; `replicated` is None until it was drawn.

    `measured` is how many sub-runs had been measured before it; None until it is.
    `sketched` has who was sketched, and the sketches; None where they were not.
    `failed_metrics` has the reason for each metric and provider; the provider is None where it failed for all.
    `remarks` has what a metric remarked on a provider's model.
    `equal` has pairs of equal models: who committed first, who later, and whether only the parameters are equal.
    """

    replicated: bool | None = None
    replicas: Mapping[str, Replica] = field(default_factory=dict)
    matrices: tuple[DistanceMatrix, ...] = ()
    measured: int | None = None
    sketched: e.ModelsSketched | None = None
    failed_metrics: Mapping[tuple[str, str | None], str] = field(default_factory=dict)
    remarks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    equal: tuple[tuple[str, str, bool], ...] = ()
    judgements: tuple[RecordedJudgement, ...] | None = None
    undecided: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.replicated is False or self.judgements is not None or self.undecided is not None


@dataclass(frozen=True)
class ProviderState:
    """What is known of a provider; `handed` has the boundaries whose checkpoints it was given to start from."""

    device: str | None = None
    lost: str | None = None
    misbehaviour: tuple[tuple[int | None, str], ...] = ()
    step: int = 0
    loss: float | None = None
    rate: float | None = None
    seconds: float = 0.0
    handed: tuple[int, ...] = ()


@dataclass(frozen=True)
class AuditState:
    """Everything that is known of an audit.

    Attributes:
        started: its first event; None before it.
        providers: by name, the primary first.
        boundaries: by number, as far as they are committed.
        sub_runs: by number, as far as something happened to them.
        execution: the primary's present run: (its id, the step that it started from).
        primary_finished: whether the primary executed its last step.
        delivered: the model that the client gets.
        attacks: what simulated attacks achieved, by provider; verdicts never look here.
        finished: the last event of an audit that ended.
        bytes: of the checkpoints that travelled.
        extra_steps: executed by replicas.
        seconds: spent on it, interruptions left out.
        seq: of the last event folded.
    """

    started: e.RunStarted | None = None
    providers: Mapping[str, ProviderState] = field(default_factory=dict)
    boundaries: Mapping[int, Boundary] = field(default_factory=dict)
    sub_runs: Mapping[int, SubRun] = field(default_factory=dict)
    execution: tuple[str, int] | None = None
    primary_finished: bool = False
    delivered: e.ModelDelivered | None = None
    attacks: Mapping[str, e.AttackMeasured] = field(default_factory=dict)
    finished: e.AuditFinished | None = None
    interrupted: bool = False
    bytes: int = 0
    extra_steps: int = 0
    seconds: float = 0.0
    seq: int = 0
    last_time: datetime | None = field(default=None, repr=False)

    def sub_run(self, index: int) -> SubRun:
        """A sub-run, also one to which nothing happened yet."""
        return self.sub_runs.get(index, SubRun())

    def provider(self, name: str) -> ProviderState:
        """A provider, also one that has not answered yet."""
        return self.providers.get(name, ProviderState())

    def matrices(self) -> list[DistanceMatrix]:
        """All distances so far, in the order in which sub-runs were measured, in which evidence adds up."""
        measured = [one for one in self.sub_runs.values() if one.measured is not None]
        return [matrix for one in sorted(measured, key=lambda one: one.measured or 0) for matrix in one.matrices]

    def sketches(self) -> list[Sketches]:
        """All sketches so far, in the same order."""
        told = [one for one in self.sub_runs.values() if one.sketched is not None and one.measured is not None]
        return [
            Sketches(known.sub_run, known.providers, unpacked(known.sketches))
            for one in sorted(told, key=lambda one: one.measured or 0)
            if (known := one.sketched) is not None
        ]

    def phase(self, index: int) -> SubRunPhase:
        """How far a sub-run is."""
        sub_run = self.sub_run(index)
        if sub_run.undecided is not None:
            return "undecided"
        if sub_run.judgements is not None:
            return "judged"
        if sub_run.replicated:
            return "replicating"
        if sub_run.replicated is False:
            return "passed"
        if index + 1 in self.boundaries:
            return "committed"
        return "training" if self.execution and index <= max(self.boundaries, default=0) else "waiting"


def fold(records: Iterable[EventRecord], state: AuditState | None = None) -> AuditState:
    """The state after these events; going on from `state` if given."""
    return reduce(apply, records, state or AuditState())


def apply(state: AuditState, record: EventRecord) -> AuditState:
    """The state after one more event.

    Raises:
        DamagedRun: it is no event, or none that can follow those before.
    """
    try:
        return _after(state, record)
    except KeyError as error:
        if record.kind not in e.KINDS:
            raise DamagedRun(record.run, f"event {record.seq} is of an unknown kind, {record.kind!r:.60}") from None
        raise DamagedRun(record.run, f"event {record.seq}, {record.kind}, has no {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = f" in {'.'.join(map(str, first['loc']))}" if first["loc"] else ""
        what = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise DamagedRun(record.run, f"event {record.seq}, {record.kind}, is invalid{place}: {what}") from None
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise DamagedRun(
            record.run, f"event {record.seq}, {record.kind}, does not fit those before it: {error}"
        ) from None


def _after(state: AuditState, record: EventRecord) -> AuditState:
    event = e.from_record(record.kind, record.payload)
    time = datetime.fromisoformat(record.time)
    spent = 0.0
    if state.last_time is not None and not isinstance(event, e.RunResumed):
        spent = max(0.0, (time - state.last_time).total_seconds())
    state = replace(state, seq=record.seq, last_time=time, seconds=state.seconds + spent)
    return _changed(state, event)


def _changed(state: AuditState, event: e.Event) -> AuditState:
    match event:
        case e.RunStarted():
            names = (event.primary, *event.replicas)
            return replace(state, started=event, providers={name: ProviderState() for name in names})
        case e.RunInterrupted():
            return replace(state, interrupted=True)
        case e.RunResumed():
            # Whoever was lost may be back.
            providers = {name: replace(one, lost=None) for name, one in state.providers.items()}
            return replace(state, interrupted=False, providers=providers)
        case e.PrimaryStarted():
            state = replace(state, execution=(event.execution, event.step), bytes=state.bytes + event.bytes)
            return _with_provider(state, event.provider, step=event.step)
        case e.PrimaryFinished():
            seconds = state.provider(event.provider).seconds + event.seconds
            return _with_provider(replace(state, primary_finished=True), event.provider, seconds=seconds)
        case e.Committed():
            boundary = Boundary(event.step, event.digest)
            return replace(state, boundaries={**state.boundaries, event.boundary: boundary})
        case e.BoundaryOpened():
            opened = replace(state.boundaries[event.boundary], finite=event.finite)
            boundaries = {**state.boundaries, event.boundary: opened}
            return replace(state, boundaries=boundaries, bytes=state.bytes + event.bytes)
        case e.ModelDelivered():
            return replace(state, delivered=event, bytes=state.bytes + event.bytes)
        case e.AttackMeasured():
            return replace(state, attacks={**state.attacks, event.provider: event})
        case e.AuditFinished():
            return replace(state, finished=event)
        case e.ProviderReady() | e.ProviderLost() | e.ProviderMisbehaved() | e.Progressed():
            return _provider_changed(state, event)
        case _:
            return _sub_run_changed(state, event)


def _provider_changed(
    state: AuditState, event: e.ProviderReady | e.ProviderLost | e.ProviderMisbehaved | e.Progressed
) -> AuditState:
    match event:
        case e.ProviderReady():
            return _with_provider(state, event.provider, device=event.device, lost=None)
        case e.ProviderLost():
            return _with_provider(state, event.provider, lost=event.reason)
        case e.ProviderMisbehaved():
            known = state.provider(event.provider).misbehaviour
            return _with_provider(state, event.provider, misbehaviour=(*known, (event.sub_run, event.reason)))
        case e.Progressed():
            return _with_provider(state, event.provider, step=event.step, loss=event.loss, rate=event.rate)


def _sub_run_changed(state: AuditState, event: e.Event) -> AuditState:
    match event:
        case e.Drawn():
            return _with_sub_run(state, event.sub_run, replicated=event.replicated)
        case e.ReplicaStarted():
            state = replace(state, bytes=state.bytes + event.bytes)
            handed = (*state.provider(event.provider).handed, event.sub_run)
            state = _with_provider(state, event.provider, handed=tuple(dict.fromkeys(handed)))
            return _with_replica(state, event.sub_run, event.provider, Replica(event.execution))
        case e.ReplicaReturned():
            replica = replace(
                state.sub_run(event.sub_run).replicas[event.provider],
                digest=event.digest,
                finite=event.finite,
                seconds=event.seconds,
                returned=state.seq,
            )
            seconds = state.provider(event.provider).seconds + event.seconds
            state = replace(
                state,
                bytes=state.bytes + event.bytes,
                extra_steps=state.extra_steps + _length(state, event.sub_run),
            )
            state = _with_provider(state, event.provider, seconds=seconds)
            return _with_replica(state, event.sub_run, event.provider, replica)
        case e.ReplicaFailed():
            known = state.sub_run(event.sub_run).replicas.get(event.provider, Replica(""))
            state = replace(state, extra_steps=state.extra_steps + event.steps)
            return _with_replica(state, event.sub_run, event.provider, replace(known, failure=event.reason))
        case e.CheckpointDamaged() if event.sub_run is not None and event.provider is not None:
            left = {name: one for name, one in state.sub_run(event.sub_run).replicas.items() if name != event.provider}
            return _with_sub_run(state, event.sub_run, replicas=left)
        case e.EqualModels():
            found = (event.first, event.second, event.parameters)
            return _with_sub_run(state, event.sub_run, equal=(*state.sub_run(event.sub_run).equal, found))
        case e.DistancesMeasured():
            matrix = DistanceMatrix(
                event.sub_run,
                event.metric,
                event.providers,
                np.array(event.values),
                event.noise_floor,
                event.spread,
                event.size,
                event.noise_source,
            )
            before = state.sub_run(event.sub_run)
            others = [one for one in before.matrices if one.metric != event.metric]
            earlier = sum(one.measured is not None for one in state.sub_runs.values())
            measured = earlier if before.measured is None else before.measured
            remarks = {**before.remarks, **{(event.metric, name): said for name, said in event.remarks.items()}}
            return _with_sub_run(state, event.sub_run, matrices=(*others, matrix), measured=measured, remarks=remarks)
        case e.ModelsSketched():
            return _with_sub_run(state, event.sub_run, sketched=event)
        case e.MetricFailed():
            known_failures = state.sub_run(event.sub_run).failed_metrics
            failed = {**known_failures, (event.metric, event.provider): event.reason}
            return _with_sub_run(state, event.sub_run, failed_metrics=failed)
        case e.SubRunJudged():
            return _with_sub_run(state, event.sub_run, judgements=event.judgements)
        case e.SubRunUndecided():
            return _with_sub_run(state, event.sub_run, undecided=event.reason)
    return state


def _length(state: AuditState, sub_run: int) -> int:
    if state.started is None:
        return 0
    start = sub_run * state.started.sub_run_steps
    return min(state.started.steps, start + state.started.sub_run_steps) - start


def _with_provider(state: AuditState, name: str, **changes: Any) -> AuditState:
    changed = replace(state.provider(name), **changes)
    return replace(state, providers={**state.providers, name: changed})


def _with_sub_run(state: AuditState, index: int, **changes: Any) -> AuditState:
    return replace(state, sub_runs={**state.sub_runs, index: replace(state.sub_run(index), **changes)})


def _with_replica(state: AuditState, index: int, provider: str, replica: Replica) -> AuditState:
    return _with_sub_run(state, index, replicas={**state.sub_run(index).replicas, provider: replica})
