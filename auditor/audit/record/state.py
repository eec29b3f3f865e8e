"""The state of an audit. All that an audit knows of its past is here, so that it can be resumed from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from auditor.audit.record import events as e
from auditor.audit.record.findings import RecordedJudgement
from auditor.audit.record.numbered import Numbered
from auditor.audit.record.packed_sketches import unpacked
from auditor.decisions.direction import Sketches
from auditor.decisions.distances import DistanceMatrix

SubRunPhase = Literal["waiting", "training", "committed", "passed", "replicating", "judged", "undecided"]


@dataclass(frozen=True)
class Boundary:
    """A committed checkpoint.

    Attributes:
        step: the step that it follows.
        digest: what the primary committed to.
        finite: whether it holds finite numbers only; None until it was opened.
        damaged: whether the client's own copy broke after that.
        signature: of the commitment, by the primary's key; None where it has none, or the client made the checkpoint.
        execution: the id of the run in which the primary committed to it; None where the client made it.
    """

    step: int
    digest: str
    finite: bool | None = None
    damaged: bool = False
    signature: str | None = None
    execution: str | None = None


@dataclass(frozen=True)
class Replica:
    """One provider's execution of a replicated sub-run; over once it has a digest or a reason.

    `returned` is the number of the event that recorded its model.
    """

    execution: str
    digest: str | None = None
    finite: bool = True
    seconds: float | None = None
    failure: str | None = None
    returned: int = 0
    signature: str | None = None

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
    """What is known of a provider; `handed` has the boundaries whose checkpoints it was given to start from.

    `signing_key` is the first one that it showed, or that was known before, and `key_trust` why it is taken for its
    own.
    """

    device: str | None = None
    signing_key: str | None = None
    key_trust: e.KeyTrust | None = None
    lost: str | None = None
    misbehaviour: tuple[tuple[int | None, str], ...] = ()
    step: int = 0
    loss: float | None = None
    rate: float | None = None
    seconds: float = 0.0
    handed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Update:
    """What is known of an update of an evolving job."""

    started: e.UpdateStarted
    measured: e.UpdateMeasured | None = None
    finished: e.UpdateFinished | None = None


@dataclass(frozen=True)
class Toss:
    """What is known of a toss; `revealed` is None until everybody was asked to reveal."""

    committed: e.TossCommitted
    revealed: e.TossRevealed | None = None


@dataclass(frozen=True)
class AuditState:
    """Everything that is known of an audit.

    Attributes:
        started: its first event; None before it.
        data: what the client read of the job's data; None in runs of versions that did not record it.
        providers: by name, the primary first.
        boundaries: by number, as far as they are committed.
        sub_runs: by number, as far as something happened to them.
        replicated: the sub-runs that were drawn to be replicated, rising.
        measured: how many sub-runs were measured.
        tosses: by id, in their order.
        disclosed: the seed that the primary drew for all; None until it said which, or where it draws none for all.
        compared: what its initial state was held against; None where it was not.
        execution: the primary's present run: (its id, the step that it started from).
        draws_start: whether in that run the primary draws the initial state itself.
        primary_finished: whether the primary executed its last step.
        delivered: the model that the client gets.
        given_up: the metrics that took too long, each with what was said of it then.
        attacks: what simulated attacks achieved, by provider; verdicts never look here.
        stream: what was read for each update that has a dataset of its own, by number.
        updates: of an evolving job, by number, as far as they began; each is an audit with a state of its own.
        finished: the last event of an audit that ended.
        bytes: of the checkpoints that travelled.
        extra_steps: executed by replicas.
        seconds: spent on it, interruptions left out.
        seq: of the last event folded.
    """

    started: e.RunStarted | None = None
    data: e.DataRead | None = None
    providers: Mapping[str, ProviderState] = field(default_factory=dict)
    boundaries: Numbered[Boundary] = field(default_factory=Numbered)
    sub_runs: Numbered[SubRun] = field(default_factory=Numbered)
    replicated: tuple[int, ...] = ()
    measured: int = 0
    tosses: Mapping[str, Toss] = field(default_factory=dict)
    disclosed: int | None = None
    compared: e.StartCompared | None = None
    execution: tuple[str, int] | None = None
    draws_start: bool = False
    primary_finished: bool = False
    delivered: e.ModelDelivered | None = None
    given_up: Mapping[str, str] = field(default_factory=dict)
    attacks: Mapping[str, e.AttackMeasured] = field(default_factory=dict)
    stream: Mapping[int, e.UpdateDataRead] = field(default_factory=dict)
    updates: Mapping[int, Update] = field(default_factory=dict)
    finished: e.AuditFinished | None = None
    interrupted: bool = False
    bytes: int = 0
    extra_steps: int = 0
    seconds: float = 0.0
    seq: int = 0
    last_time: datetime | None = field(default=None, repr=False)

    @property
    def step(self) -> int:
        """The furthest step that the primary committed to; of an evolving job, the steps of all updates that ended."""
        if self.updates:
            return sum(update.started.steps for update in self.updates.values() if update.finished is not None)
        return self.boundaries[self.boundaries.last].step if self.boundaries else 0

    @property
    def can_go_on(self) -> bool:
        """Whether an audit that ended can be resumed: its primary was lost in the middle and is not accused."""
        if self.finished is not None and self.updates:
            last = self.updates[max(self.updates)].finished
            return last is not None and last.digest is None
        if self.finished is None or self.started is None or self.primary_finished:
            return False
        primary = self.started.primary
        verdicts = {verdict.name: verdict.verdict for verdict in self.finished.providers}
        return self.provider(primary).lost is not None and verdicts.get(primary) in ("unreachable", "inconclusive")

    @property
    def coin(self) -> int | None:
        """The seed that was tossed; None where no toss has succeeded."""
        seeds = [toss.revealed.seed for toss in self.tosses.values() if toss.revealed is not None]
        return next((int(seed, 16) for seed in seeds if seed is not None), None)

    def sub_run(self, index: int) -> SubRun:
        """A sub-run, also one to which nothing happened yet."""
        return self.sub_runs.get(index, SubRun())

    def provider(self, name: str) -> ProviderState:
        """A provider, also one that has not answered yet."""
        return self.providers.get(name, ProviderState())

    def matrices(self) -> list[DistanceMatrix]:
        """All distances so far, in the order in which sub-runs were measured, in which evidence adds up."""
        return [matrix for sub_run in self._measured() for matrix in sub_run.matrices]

    def sketches(self) -> list[Sketches]:
        """All sketches so far, in the same order."""
        return [
            Sketches(known.sub_run, known.providers, unpacked(known.sketches))
            for sub_run in self._measured()
            if (known := sub_run.sketched) is not None
        ]

    def _measured(self) -> list[SubRun]:
        measured = [sub_run for sub_run in self.sub_runs.values() if sub_run.measured is not None]
        return sorted(measured, key=lambda sub_run: sub_run.measured or 0)

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
        return "training" if self.execution and index <= max(self.boundaries.last, 0) else "waiting"
