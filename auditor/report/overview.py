"""All runs at a glance, and what they say of providers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from auditor.audit.record.events import AuditFinished
from auditor.audit.record.findings import Cost
from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.store import DamagedRun, RunRecord, Store


@dataclass(frozen=True)
class RunSummary:
    """One run in a line.

    Attributes:
        run: its id.
        name: of its job.
        created: RFC 3339, UTC.
        status: its outcome; `running` or `stopped` while it has none; `damaged` where it cannot be read.
        flagged: whom it flagged.
        step: how far the primary committed.
        steps: of the whole training; None before the run began.
        seconds: spent on it.
        cost: as in the last event; None before it.
        source: the job file.
        damage: why it cannot be read.
        evolves: whether it has updates, each with a run of its own.
        simulated: whether its providers train nothing, so that it audits nobody.
    """

    run: str
    name: str
    created: str
    status: str
    flagged: tuple[str, ...]
    step: int
    steps: int | None
    seconds: float
    cost: Cost | None
    source: str
    damage: str | None = None
    evolves: bool = False
    simulated: bool = False


def summarize_end(store: Store, run: RunRecord, last: int) -> RunSummary | None:
    """A run that has ended in a line, from two of its events; None for one that has not.

    Args:
        store: where it is kept.
        run: which.
        last: the number of its latest event.
    """
    try:
        event = store.event(run.id, last)
        if event is None or event.kind != AuditFinished.kind:
            return None
        first = store.event(run.id, 1)
        state = fold([one for one in (first, event) if one is not None])
    except DamagedRun as error:
        return _damaged(run, error)
    if state.finished is None or state.started is None:
        return None
    found = summarize(store, run, state)
    return replace(found, step=state.started.steps, seconds=round(state.finished.cost.seconds, 3))


def _damaged(run: RunRecord, error: DamagedRun) -> RunSummary:
    name = PurePath(run.source).stem
    return RunSummary(run.id, name, run.created, "damaged", (), 0, None, 0.0, None, run.source, error.reason)


def summarize(store: Store, run: RunRecord, state: AuditState | None = None) -> RunSummary:
    """A run in a line; `state` saves reading its events if it is known."""
    try:
        state = fold(store.events(run.id)) if state is None else state
    except DamagedRun as error:
        return _damaged(run, error)
    finished = state.finished
    pending = "running" if finished is None and store.is_running(run.id) else "stopped"
    return RunSummary(
        run=run.id,
        name=state.started.name if state.started else PurePath(run.source).stem,
        created=run.created,
        status=finished.outcome if finished else pending,
        flagged=tuple(verdict.name for verdict in finished.providers if verdict.verdict == "flagged")
        if finished
        else (),
        step=state.step,
        steps=state.started.steps if state.started else None,
        seconds=round(state.seconds, 3),
        cost=finished.cost if finished else None,
        source=run.source,
        evolves=run.evolves,
        simulated=state.started is not None and state.started.simulated,
    )


@dataclass(frozen=True)
class ProviderRecord:
    """What past runs say of a provider.

    Attributes:
        runs: that ended with it taking part.
        sub_runs_checked: over all of them.
        verdicts: how many of each kind.
    """

    runs: int = 0
    sub_runs_checked: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)

    @property
    def flagged(self) -> int:
        """In how many runs it was flagged."""
        return self.verdicts.get("flagged", 0)


def provider_records(store: Store) -> dict[str, ProviderRecord]:
    """The record of every provider that took part in a run that ended, by name; simulated ones say nothing."""
    found: dict[str, ProviderRecord] = {}
    for event in store.last_events("verdict"):
        try:
            verdicts_of = fold([event]).finished
        except DamagedRun:
            continue
        for verdict in verdicts_of.providers if verdicts_of and not verdicts_of.simulated else ():
            known = found.get(verdict.name, ProviderRecord())
            verdicts = Counter(known.verdicts) + Counter([verdict.verdict])
            checked = known.sub_runs_checked + verdict.sub_runs_checked
            found[verdict.name] = ProviderRecord(known.runs + 1, checked, dict(verdicts))
    return found
