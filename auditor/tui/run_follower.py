"""Following a run through the store, no matter which process executes it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from auditor.audit.record import events as e
from auditor.audit.record.fold import apply
from auditor.audit.record.state import AuditState
from auditor.audit.stored_job import stored_job
from auditor.job.model import Job
from auditor.report.sentences import sentence
from auditor.store import RunRecord, Store

LOOK_SECONDS = 1.0
"""How often it is asked whether some process executes the run; events are looked for more often."""


@dataclass(frozen=True)
class LogLine:
    """What happened, in words.

    Attributes:
        time: RFC 3339, UTC.
        kind: of the event.
        words: what a person reads; from providers in part, so hostile.
    """

    time: str
    kind: str
    words: str

    @property
    def is_failure(self) -> bool:
        """Whether something failed."""
        return self.kind.endswith(("_lost", "_misbehaved", "_failed", "_undecided", "_interrupted"))


@dataclass(frozen=True)
class Snapshot:
    """A run as it is now.

    Attributes:
        run: its record.
        job: what is audited.
        state: after the latest event.
        log: everything that happened so far.
        losses: the primary's, in the order of steps.
        running: whether some process executes it.
        requests: what was asked of that process.
    """

    run: RunRecord
    job: Job
    state: AuditState
    log: tuple[LogLine, ...]
    losses: tuple[float, ...]
    running: bool
    requests: frozenset[str]

    @property
    def status(self) -> str:
        """The outcome, or in a word how far it is."""
        if self.state.finished is not None:
            return self.state.finished.outcome
        if self.running:
            return "running" if self.state.started is not None else "starting"
        return "stopped"

    @property
    def names(self) -> list[str]:
        """The providers, the primary first."""
        return list(self.state.providers) or [self.job.primary.name, *(provider.name for provider in self.job.others)]


class Follower:
    """Reads what is new about a run.

    Args:
        store: where it is kept; used by one thread at a time.
        run: which run.
    """

    def __init__(self, store: Store, run: RunRecord) -> None:
        self._store = store
        self._run = run
        self._job = stored_job(run)
        self._state = AuditState()
        self._log: list[LogLine] = []
        self._losses: list[float] = []
        self._seen: tuple[bool, frozenset[str]] | None = None
        self._looked = float("-inf")

    def poll(self) -> Snapshot | None:
        """The run as it is now; None when nothing is new.

        Raises:
            LookupError: the run was deleted.
            DamagedRun: what is kept of it cannot be read.
            StoreError, sqlite3.Error: the store cannot be read.
        """
        records = self._store.events(self._run.id, after=self._state.seq)
        for record in records:
            self._state = apply(self._state, record)
            self._note(e.from_record(record.kind, record.payload), record.time)
        due = time.monotonic() - self._looked >= LOOK_SECONDS
        ended = bool(records) and records[-1].kind in (e.AuditFinished.kind, e.RunInterrupted.kind)
        seen = self._seen
        if due or ended or seen is None:
            self._looked = time.monotonic()
            if not records and self._store.last_seq(self._run.id) is None:
                raise LookupError(self._run.id)
            seen = (self._store.is_running(self._run.id), frozenset(self._store.requests(self._run.id)))
        if not records and seen == self._seen:
            return None
        self._seen = seen
        log, losses = tuple(self._log), tuple(self._losses)
        return Snapshot(self._run, self._job, self._state, log, losses, seen[0], seen[1])

    def _note(self, event: e.Event, when: str) -> None:
        if (words := sentence(event, self._state)) is not None:
            self._log.append(LogLine(when, event.kind, words))
        if isinstance(event, e.RunStarted):
            self._log += [LogLine(when, "warning", f"warning: {words}") for words in event.warnings]
        primary = isinstance(event, e.Committed) or (isinstance(event, e.Progressed) and event.sub_run is None)
        if primary and isinstance(event, e.Committed | e.Progressed) and event.loss is not None:
            self._losses.append(event.loss)
