"""What happens in the run of an evolving job beside what happens in any run: each update is an audited run."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.audit.record.event import Event
from auditor.audit.record.findings import Cost, Outcome, ProviderVerdict
from auditor.tasks.inventory import Remark


@dataclass(frozen=True)
class AttackSuccess:
    """What an attack of the job achieves on the model of an update, whether or not it acted in that update.

    Attributes:
        provider: who simulates it.
        attack: its name.
        acted: whether it acted in this update.
        success: the share of triggered held-out samples that get its target from what is served; None where it has
            none.
        failure: why that could not be measured.
        delivered: the same share for the model itself, where something else is served; None elsewhere.
    """

    provider: str
    attack: str
    acted: bool
    success: float | None
    failure: str | None = None
    delivered: float | None = None


@dataclass(frozen=True)
class InspectedModel:
    """What an inspector found in the model of an update; without a score, `failure` says why.

    Attributes:
        inspector: its name.
        score: how suspicious the model is.
        threshold: a model is suspicious over it.
        suspicious: whether the inspector suspects the model.
        failure: why it found nothing out.
    """

    inspector: str
    score: float | None
    threshold: float | None
    suspicious: bool
    failure: str | None = None


@dataclass(frozen=True)
class UpdateDataRead(Event):
    """What the client read of the dataset of an update, where each update has one of its own.

    `dataset` is what the job calls it, without folders of this machine; the others are as in `data_read`.
    """

    update: int
    dataset: str
    training: int
    held_out: int
    sample: str
    class_count: int
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class UpdateStarted(Event):
    """An update began, as the run `run`. `drift` says how its data has drifted; None where it has not."""

    update: int
    run: str
    steps: int
    drift: str | None


@dataclass(frozen=True)
class UpdateMeasured(Event):
    """What the model of an update can do on held-out samples that have drifted as its data has.

    No verdict depends on it. `unchanged` is the accuracy of the model of update 0 on the same samples: what there
    would be without updates.
    """

    update: int
    accuracy: float | None
    unchanged: float | None
    attacks: tuple[AttackSuccess, ...]
    inspected: tuple[InspectedModel, ...] = ()


@dataclass(frozen=True)
class UpdateFinished(Event):
    """An update ended with these verdicts; `digest` is of the model it delivered, None where it delivered none."""

    update: int
    run: str
    outcome: Outcome
    providers: tuple[ProviderVerdict, ...]
    cost: Cost
    digest: str | None
