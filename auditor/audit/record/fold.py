"""From events to the state of an audit: a pure fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any

import numpy as np
from pydantic import ValidationError

from auditor.audit.record import events as e
from auditor.audit.record.state import AuditState, Boundary, ProviderState, Replica, Toss, Update
from auditor.decisions.distances import DistanceMatrix
from auditor.planning.plan import sub_run_length
from auditor.store.errors import DamagedRun
from auditor.store.records import EventRecord


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
        case e.DataRead():
            return replace(state, data=event)
        case e.UpdateDataRead():
            return replace(state, stream={**state.stream, event.update: event})
        case e.RunInterrupted():
            return replace(state, interrupted=True)
        case e.RunResumed():
            # A provider that was lost may be back.
            providers = {name: replace(provider, lost=None) for name, provider in state.providers.items()}
            return replace(state, interrupted=False, finished=None, providers=providers)
        case e.PrimaryStarted():
            state = replace(
                state,
                execution=(event.execution, event.step),
                draws_start=event.digest is None,
                bytes=state.bytes + event.bytes,
            )
            return _with_provider(state, event.provider, step=event.step)
        case e.PrimaryFinished():
            seconds = state.provider(event.provider).seconds + event.seconds
            return _with_provider(replace(state, primary_finished=True), event.provider, seconds=seconds)
        case e.Committed():
            execution = None if state.execution is None else state.execution[0]
            boundary = Boundary(event.step, event.digest, signature=event.signature, execution=execution)
            return replace(state, boundaries=state.boundaries.having(event.boundary, boundary))
        case e.BoundaryOpened():
            opened = replace(state.boundaries[event.boundary], finite=event.finite, damaged=False)
            boundaries = state.boundaries.having(event.boundary, opened)
            return replace(state, boundaries=boundaries, bytes=state.bytes + event.bytes)
        case e.ModelDelivered():
            return replace(state, delivered=event, bytes=state.bytes + event.bytes)
        case e.AttackMeasured():
            return replace(state, attacks={**state.attacks, event.provider: event})
        case e.AuditFinished():
            return replace(state, finished=event)
        case e.UpdateStarted() | e.UpdateMeasured() | e.UpdateFinished():
            return _update_changed(state, event)
        case e.TossCommitted() | e.TossRevealed() | e.SeedDisclosed() | e.StartCompared():
            return _coins_changed(state, event)
        case e.ProviderReady() | e.ProviderLost() | e.ProviderMisbehaved() | e.Progressed():
            return _provider_changed(state, event)
        case _:
            return _sub_run_changed(state, event)


def _coins_changed(
    state: AuditState, event: e.TossCommitted | e.TossRevealed | e.SeedDisclosed | e.StartCompared
) -> AuditState:
    match event:
        case e.TossCommitted():
            return replace(state, tosses={**state.tosses, event.toss: Toss(event)})
        case e.TossRevealed():
            revealed = replace(state.tosses[event.toss], revealed=event)
            return replace(state, tosses={**state.tosses, event.toss: revealed})
        case e.SeedDisclosed():
            return replace(state, disclosed=int(event.seed))
        case e.StartCompared():
            return replace(state, compared=event)


def _update_changed(state: AuditState, event: e.UpdateStarted | e.UpdateMeasured | e.UpdateFinished) -> AuditState:
    match event:
        case e.UpdateStarted():
            update = Update(event)
        case e.UpdateMeasured():
            update = replace(state.updates[event.update], measured=event)
        case e.UpdateFinished():
            update = replace(state.updates[event.update], finished=event)
            added = event.cost.extra_steps
            state = replace(state, bytes=state.bytes + event.cost.bytes, extra_steps=state.extra_steps + added)
    return replace(state, updates={**state.updates, event.update: update})


def _provider_changed(
    state: AuditState, event: e.ProviderReady | e.ProviderLost | e.ProviderMisbehaved | e.Progressed
) -> AuditState:
    match event:
        case e.ProviderReady():
            known = state.provider(event.provider)
            key = known.signing_key or event.signing_key
            trust = known.key_trust if known.signing_key is not None else event.key_trust
            return _with_provider(
                state, event.provider, device=event.device, lost=None, signing_key=key, key_trust=trust
            )
        case e.ProviderLost():
            return _with_provider(state, event.provider, lost=event.reason)
        case e.ProviderMisbehaved():
            before = state.provider(event.provider).misbehaviour
            return _with_provider(state, event.provider, misbehaviour=(*before, (event.sub_run, event.reason)))
        case e.Progressed():
            return _with_provider(state, event.provider, step=event.step, loss=event.loss, rate=event.rate)


def _sub_run_changed(state: AuditState, event: e.Event) -> AuditState:
    match event:
        case e.Drawn():
            if event.replicated:
                state = replace(state, replicated=_rising(state.replicated, event.sub_run))
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
                signature=event.signature,
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
            replicas = {**state.sub_run(event.sub_run).replicas}
            replicas.pop(event.provider, None)
            return _with_sub_run(state, event.sub_run, replicas=replicas)
        case e.CheckpointDamaged():
            boundaries = state.boundaries
            for number, boundary in state.boundaries.items():
                if boundary.step == event.step:
                    boundaries = boundaries.having(number, replace(boundary, damaged=True))
            return replace(state, boundaries=boundaries)
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
            others = [known for known in before.matrices if known.metric != event.metric]
            measured = state.measured if before.measured is None else before.measured
            if before.measured is None:
                state = replace(state, measured=state.measured + 1)
            remarks = {**before.remarks, **{(event.metric, name): said for name, said in event.remarks.items()}}
            return _with_sub_run(state, event.sub_run, matrices=(*others, matrix), measured=measured, remarks=remarks)
        case e.ModelsSketched():
            return _with_sub_run(state, event.sub_run, sketched=event)
        case e.MetricFailed():
            known_failures = state.sub_run(event.sub_run).failed_metrics
            failed = {**known_failures, (event.metric, event.provider): event.reason}
            if event.given_up:
                state = replace(state, given_up={event.metric: event.reason, **state.given_up})
            return _with_sub_run(state, event.sub_run, failed_metrics=failed)
        case e.SubRunJudged():
            return _with_sub_run(state, event.sub_run, judgements=event.judgements)
        case e.SubRunUndecided():
            return _with_sub_run(state, event.sub_run, undecided=event.reason)
    return state


def _rising(numbers: tuple[int, ...], number: int) -> tuple[int, ...]:
    """Rising numbers with one more, which nearly always is the largest."""
    if not numbers or number > numbers[-1]:
        return (*numbers, number)
    return tuple(sorted({*numbers, number}))


def _length(state: AuditState, sub_run: int) -> int:
    started = state.started
    return 0 if started is None else sub_run_length(sub_run, started.steps, started.sub_run_steps)


def _with_provider(state: AuditState, name: str, **changes: Any) -> AuditState:
    changed = replace(state.provider(name), **changes)
    return replace(state, providers={**state.providers, name: changed})


def _with_sub_run(state: AuditState, index: int, **changes: Any) -> AuditState:
    return replace(state, sub_runs=state.sub_runs.having(index, replace(state.sub_run(index), **changes)))


def _with_replica(state: AuditState, index: int, provider: str, replica: Replica) -> AuditState:
    return _with_sub_run(state, index, replicas={**state.sub_run(index).replicas, provider: replica})
