"""What the client's own executions of sub-runs say about noise, kept for the latest sub-run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from auditor.audit.measurement import Rehearsed
from auditor.tasks.checkpoint import Schema, read
from auditor.tasks.checkpoint_model import CheckpointModel
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.learner import Learner
from auditor.tasks.rehearsal import Rehearsal, rehearse


@dataclass(frozen=True)
class _Latest:
    start: Path
    steps: int
    found: Rehearsal
    folder: tempfile.TemporaryDirectory[str]


class Rehearsals:
    """Executes sub-runs on the client's machine, each once however many metrics look at it.

    Args:
        make_learner: an honest learner with the seed that all providers have; made when it is first needed.
        schema: of the job's checkpoints.
        precision: that of the job.
        seconds: what the executions of one sub-run may take together.
    """

    def __init__(self, make_learner: Callable[[], Learner], schema: Schema, precision: str, seconds: float) -> None:
        self._make_learner = make_learner
        self._schema = schema
        self._precision = precision
        self._seconds = seconds
        self._learner: Learner | None = None
        self._latest: _Latest | None = None

    def of(self, start: Path, steps: int, evaluator: Evaluator) -> Rehearsed:
        """A sub-run as the client executes it, as metrics see models.

        Args:
            start: the checkpoint that the sub-run starts from; temporary files go beside its folder.
            steps: its length.
            evaluator: what computes outputs.

        Raises:
            Exception: whatever the model or the machine raises, for want of memory for instance.
        """
        if self._latest is None or (self._latest.start, self._latest.steps) != (start, steps):
            self._latest = None
            self._latest = self._execute(start, steps)
        found = self._latest.found

        def seen(path: Path) -> CheckpointModel:
            return CheckpointModel(path, start, self._schema, evaluator)

        return Rehearsed(
            start=seen(start),
            ends=[seen(path) for path in found.ends],
            halfway=[seen(path) for path in found.halfway],
            steps=found.steps,
            of=steps,
        )

    def _execute(self, start: Path, steps: int) -> _Latest:
        if self._learner is None:
            self._learner = self._make_learner()
        folder = tempfile.TemporaryDirectory(prefix=".rehearsal-", dir=start.parent.parent, ignore_cleanup_errors=True)
        found = rehearse(
            self._learner,
            read(start, self._schema),
            steps,
            precision=self._precision,
            seconds=self._seconds,
            folder=Path(folder.name),
        )
        return _Latest(start, steps, found, folder)
