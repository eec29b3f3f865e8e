"""What must be the same when an audit goes on after an interruption: with other data honest providers differ, too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from auditor import __version__
from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.model import Job
from auditor.tasks.errors import TrainingError
from auditor.tasks.program import Program

INITIAL = "initial checkpoint"
"""What the digest of the checkpoint that training starts from is noted under."""


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
                f"auditor {begun['auditor']} began this run, and this is auditor {__version__}, which may train "
                f"otherwise. Install auditor {begun['auditor']} again to go on, or start a new run."
            )

    def accept_initial(self, path: Path | None) -> None:
        """Take note of the checkpoint that training starts from, if it does not start from fresh weights.

        Raises:
            TrainingError: it cannot be read, or is not what the audit began with.
        """
        if path is None:
            return
        try:
            sha = hashlib.sha256()
            with open_user_file(path) as file:
                while piece := file.read(1 << 20):
                    sha.update(piece)
        except UserFileError as error:
            raise TrainingError(f"training.initial: {path} {error}.") from None
        found = self.found[INITIAL] = sha.hexdigest()
        if self._begun.get(INITIAL, found) != found:
            raise TrainingError(
                f"training.initial: {path} is not what it was when this run began. Put back what it was, or start a "
                "new run."
            )

    def accept(self, program: Program) -> None:
        """Take note of the data of a task.

        Raises:
            TrainingError: it is not what the audit began with; says what differs.
        """
        self.found |= program.part_digests
        for part, digest in program.part_digests.items():
            if self._begun.get(part, digest) != digest:
                raise TrainingError(
                    f"the {part} of this job's data, {self._job.task.source_of(part)}, is not what it was when this "
                    "run began: its content is another, or another library reads it. Providers that trained on the "
                    "one and on the other cannot be compared. Put back what it was, or start a new run."
                )
