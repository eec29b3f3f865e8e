"""What a cure is judged by: accuracy, the success that simulated attacks have left, and what inspectors find."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from auditor.audit.inspection import inspect_model, recorded_finding
from auditor.audit.model_quality import ModelQuality
from auditor.audit.record.update_events import AttackSuccess, InspectedModel
from auditor.job.model import Job
from auditor.job.plugin_use import PluginUse


@dataclass(frozen=True)
class Condition:
    """What is known of a model by itself.

    Attributes:
        accuracy: on held-out samples; None where the kind of task has none.
        attacks: what each attack of the job achieves on it.
        inspected: what each inspector found.
    """

    accuracy: float | None
    attacks: tuple[AttackSuccess, ...]
    inspected: tuple[InspectedModel, ...]

    def payload(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """A name and a figure for each."""
        found = [("accuracy", _share(self.accuracy))]
        for one in self.attacks:
            found.append((f"success of {one.attack} by {one.provider}"[:39], _share(one.success)))
            if one.delivered is not None:
                found.append(("the same, if the model itself is served", _share(one.delivered)))
        return found + [
            (f"{one.inspector} (suspicious over {one.threshold or 0:g})"[:39], _index(one)) for one in self.inspected
        ]


class Measurement:
    """Measures models of a job before and after a cure.

    Args:
        job: that trained the model, with the attacks that are measured.
        inspectors: the names of those that look at it.
        downloads: the folder for datasets.

    Raises:
        TrainingError: the data or the model cannot be had.
    """

    def __init__(self, job: Job, inspectors: tuple[str, ...], downloads: Path) -> None:
        self._job = job
        self._uses = [PluginUse(name=name) for name in inspectors]
        self._downloads = downloads
        self._quality = ModelQuality(job, downloads)

    def of(self, model: Path) -> Condition:
        """What is known of a model.

        Raises:
            PluginError: an attack or an inspector cannot be had.
            TrainingError: the model cannot be read, or is of another job.
        """
        findings = inspect_model(self._job, model, self._uses, downloads=self._downloads) if self._uses else ()
        return Condition(
            accuracy=self._quality.accuracy(model),
            attacks=tuple(self._quality.attacks(model, self._job)),
            inspected=tuple(map(recorded_finding, findings)),
        )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _index(one: InspectedModel) -> str:
    return "–" if one.score is None else f"{one.score:.2f}{' !' if one.suspicious else ''}"
