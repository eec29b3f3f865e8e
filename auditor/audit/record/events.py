"""What happens in an audit, one frozen dataclass each. Everything that shows an audit reads these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from pydantic import TypeAdapter

from auditor.audit.record.coin_events import SeedDisclosed as SeedDisclosed
from auditor.audit.record.coin_events import StartCompared as StartCompared
from auditor.audit.record.coin_events import TossCommitted as TossCommitted
from auditor.audit.record.coin_events import TossRevealed as TossRevealed
from auditor.audit.record.event import Event as Event
from auditor.audit.record.findings import Cost, Outcome, ProviderVerdict, RecordedJudgement
from auditor.audit.record.provider_events import KeyTrust as KeyTrust
from auditor.audit.record.provider_events import ProviderLost as ProviderLost
from auditor.audit.record.provider_events import ProviderMisbehaved as ProviderMisbehaved
from auditor.audit.record.provider_events import ProviderReady as ProviderReady
from auditor.audit.record.update_events import UpdateDataRead as UpdateDataRead
from auditor.audit.record.update_events import UpdateFinished as UpdateFinished
from auditor.audit.record.update_events import UpdateMeasured as UpdateMeasured
from auditor.audit.record.update_events import UpdateStarted as UpdateStarted
from auditor.tasks.inventory import ClassCount, Remark


@dataclass(frozen=True)
class RunStarted(Event):
    """The audit began. `decision` is the rule that was chosen and `reason` why.

    `materials` has a digest, or a version, of all that must be the same when the audit goes on after an interruption.
    `simulated` says that its providers train nothing, so that the run audits nobody.
    """

    name: str
    primary: str
    replicas: tuple[str, ...]
    steps: int
    sub_run_steps: int
    sub_runs: int
    decision: str
    reason: str
    warnings: tuple[str, ...]
    materials: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False


@dataclass(frozen=True)
class DataRead(Event):
    """What the client read of the job's data: counts, classes, what was left out and what was converted.

    `sample` says what a sample is. Of many classes the first thousand are kept; `class_count` has their number.
    """

    training: int
    held_out: int
    sample: str
    class_count: int
    classes: tuple[ClassCount, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class RunResumed(Event):
    """The audit goes on after an interruption; the time since the event before was not spent on it."""


@dataclass(frozen=True)
class RunInterrupted(Event):
    """The audit was stopped in order and can be resumed."""


@dataclass(frozen=True)
class PrimaryStarted(Event):
    """The primary was asked to train from `step`; `execution` is the id of that run at the provider.

    `digest` is of the checkpoint that it starts from; null where it draws its own initial state.
    """

    provider: str
    execution: str
    step: int
    digest: str | None
    bytes: int


@dataclass(frozen=True)
class PrimaryFinished(Event):
    """The primary executed its last step, `seconds` after it was asked."""

    provider: str
    seconds: float


@dataclass(frozen=True)
class Progressed(Event):
    """A provider got on. `sub_run` is the one it replicates, None for the primary; `rate` in steps a second."""

    provider: str
    sub_run: int | None
    step: int
    loss: float | None
    rate: float | None


@dataclass(frozen=True)
class Committed(Event):
    """The primary committed to a boundary checkpoint; `signature` is by its signing key, null where it has none."""

    boundary: int
    step: int
    digest: str
    loss: float | None
    signature: str | None = None


@dataclass(frozen=True)
class Drawn(Event):
    """Whether a sub-run is replicated; drawn after the boundary behind it was committed."""

    sub_run: int
    replicated: bool


@dataclass(frozen=True)
class BoundaryOpened(Event):
    """The primary showed a checkpoint that it had committed to, and it is the one."""

    boundary: int
    digest: str
    bytes: int
    finite: bool


@dataclass(frozen=True)
class CheckpointDamaged(Event):
    """A checkpoint in the client's own store was not what its digest says, or gone; nobody is to blame for it.

    It is of `step`. `provider` had returned it for `sub_run`, and executes that again; both are None for what the
    primary had shown, or the client had made.
    """

    digest: str
    step: int
    sub_run: int | None
    provider: str | None


@dataclass(frozen=True)
class ReplicaStarted(Event):
    """A replica was asked to execute a sub-run; `execution` is the id of that run at the provider."""

    sub_run: int
    provider: str
    execution: str
    bytes: int


@dataclass(frozen=True)
class ReplicaReturned(Event):
    """A replica returned its checkpoint; `signature`, by its signing key, says that it did. Null where it has none."""

    sub_run: int
    provider: str
    digest: str
    bytes: int
    seconds: float
    finite: bool
    signature: str | None = None


@dataclass(frozen=True)
class ReplicaFailed(Event):
    """A replica did not return a checkpoint that can be compared."""

    sub_run: int
    provider: str
    reason: str
    steps: int


@dataclass(frozen=True)
class EqualModels(Event):
    """`second` returned the model that `first` had committed to before, although each draws its own seeds.

    Nothing that the client gave to either explains it. `parameters` is true where the parameters are equal to the
    last bit, and the rest is not.
    """

    sub_run: int
    first: str
    second: str
    parameters: bool


@dataclass(frozen=True)
class DistancesMeasured(Event):
    """All distances of one metric among the models returned for a sub-run; rows and columns as `providers`.

    `spread` is how much the metric expects honest distances to scatter where each provider draws its own seeds.
    With shared seeds `noise_floor` is how far apart numerics alone may drive honest models, `size` how far apart lie
    those that have nothing in common, and `noise_source` how that is known.
    `remarks` says where a provider's model differs most from the others, for those of which there is more to say.
    """

    sub_run: int
    metric: str
    providers: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    noise_floor: float | None
    seconds: float
    remarks: Mapping[str, str] = field(default_factory=dict)
    spread: float | None = None
    size: float | None = None
    noise_source: str = ""


@dataclass(frozen=True)
class ModelsSketched(Event):
    """Projections of the models returned for a sub-run, which show the direction of a deviation.

    They are the same projections in every sub-run, drawn from the run's secret. `sketches` has one for each of
    `providers`.
    """

    sub_run: int
    providers: tuple[str, ...]
    sketches: tuple[str, ...]


@dataclass(frozen=True)
class MetricFailed(Event):
    """A metric could not be computed for a sub-run: for the model of `provider`, or for all when it is None.

    `given_up` is true where it took too long, so that later sub-runs do without it.
    """

    sub_run: int
    metric: str
    provider: str | None
    reason: str
    given_up: bool = False


@dataclass(frozen=True)
class SubRunJudged(Event):
    """What the decision says of the providers of one sub-run, from everything that is known so far."""

    sub_run: int
    judgements: tuple[RecordedJudgement, ...]


@dataclass(frozen=True)
class SubRunUndecided(Event):
    """A replicated sub-run from which nothing can be learned."""

    sub_run: int
    reason: str


@dataclass(frozen=True)
class ModelDelivered(Event):
    """The trained model was fetched and is the one committed to.

    `accuracy` is on held-out samples, None where the kind of task has none. `bytes` are those that travelled for it
    beside what `BoundaryOpened` has.
    """

    step: int
    digest: str
    path: str
    bytes: int
    accuracy: float | None


@dataclass(frozen=True)
class AttackMeasured(Event):
    """What a simulated attack achieved, as the simulating provider says. No verdict depends on it.

    `success_rate` is of what the provider serves. `delivered_rate` is of the delivered model where the provider serves
    something else behind an API, null elsewhere. `failure` is why its success could not be measured.
    """

    provider: str
    attack: str
    clean_accuracy: float | None
    success_rate: float | None
    failure: str | None = None
    delivered_rate: float | None = None


@dataclass(frozen=True)
class AuditFinished(Event):
    """The end: the verdicts and what they cost; in the store and in JSON its kind is `verdict`.

    `simulated` says that no provider trained anything, so that the verdicts are about nobody.
    """

    kind: ClassVar[str]
    outcome: Outcome
    providers: tuple[ProviderVerdict, ...]
    cost: Cost
    simulated: bool = False


AuditFinished.kind = "verdict"

KINDS: dict[str, type[Event]] = {event.kind: event for event in Event.__subclasses__()}
"""Every event by its kind, those of updates among them."""


def from_record(kind: str, payload: Mapping[str, Any]) -> Event:
    """The event that was stored as `kind` and `payload`.

    Raises:
        KeyError: no event is of this kind.
        ValueError: a field is missing, or holds something else than it should.
    """
    if kind not in KINDS:
        raise KeyError(kind)
    return _shape(kind).validate_python(payload)


@cache
def _shape(kind: str) -> TypeAdapter[Event]:
    """What checks the fields that were stored; those that it does not know are left out."""
    return TypeAdapter(KINDS[kind])
