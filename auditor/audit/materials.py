"""What must be the same when an audit goes on after an interruption: with other data honest providers differ, too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from auditor import __version__
from auditor.job.model import Job
from auditor.training.data import Dataset
from auditor.training.errors import TrainingError


class Materials:
    """Takes note of what an audit begins with, and refuses to go on with anything else.

    Plugins in files need none of this: a run keeps their code from its beginning.

    Args:
        job: what is audited.
        begun: what was noted when the audit began; empty for one that begins now, or whose beginning is not known.

    Attributes:
        found: digests and versions, by what they are of.

    Raises:
        TrainingError: another version of auditor began it.
    """

    def __init__(self, job: Job, begun: Mapping[str, str]) -> None:
        self._job = job
        self._begun = begun
        self.found = {"auditor": __version__}
        if begun.get("auditor", __version__) != __version__:
            raise TrainingError(
                f"this run was started with auditor {begun['auditor']}, and this is auditor {__version__}, which may "
                f"train differently. Install auditor {begun['auditor']} to resume it, or start a new run."
            )

    def accept(self, dataset: Dataset) -> None:
        """Take note of a dataset.

        Raises:
            TrainingError: it is not the one that the audit began with; says what differs.
        """
        self.found |= _digests(dataset)
        # What the tokenizer makes of sentences changes with it, so that it is named first.
        for part in ("tokenizer", "training part", "held-out part"):
            if part in self._begun and self._begun[part] != self.found.get(part):
                raise TrainingError(
                    f"the {part} of this job's data, {self._source(part)}, has changed since this run started: its "
                    "content is different, or a different library version reads it. Results from before and after "
                    "cannot be compared. Restore the data, or start a new run."
                )

    def _source(self, part: str) -> str:
        """Which key of the job the part comes from, and what it says."""
        task = self._job.task
        if part == "tokenizer" and task.tokenizer is not None:
            return f"tokenizer = {str(task.tokenizer)!r}"
        if part == "held-out part" and task.held_out is not None:
            return f"held_out = {str(task.held_out)!r}"
        return f"dataset = {task.dataset!r}"


def _digests(dataset: Dataset) -> dict[str, str]:
    """SHA-256 of each part, over all that providers and the client make use of."""
    parts = {
        "training part": (dataset.samples, dataset.labels),
        "held-out part": (dataset.held_out_samples, dataset.held_out_labels),
    }
    found = {}
    for name, tensors in parts.items():
        sha = hashlib.sha256()
        for tensor in tensors:
            sha.update(str((str(tensor.dtype), tuple(tensor.shape))).encode())
            sha.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
        found[name] = sha.hexdigest()
    if dataset.tokenizer is not None:
        found["tokenizer"] = hashlib.sha256(dataset.tokenizer.definition.encode()).hexdigest()
    return found
