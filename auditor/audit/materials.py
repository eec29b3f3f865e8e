"""What must be the same when an audit goes on after an interruption: with other data honest providers differ, too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from auditor import __version__
from auditor.base.user_file import UserFileError, open_user_file
from auditor.tasks.errors import TrainingError
from auditor.tasks.program import Program

INITIAL = "initial checkpoint"
"""What the digest of the checkpoint that training starts from is noted under."""


class Materials:
    """Takes note of what an audit begins with, and refuses to go on with anything else.

    Plugins in files need none of this: a run keeps their code from its beginning.

    Args:
        begun: what was noted when the audit began; empty for one that begins now, or whose beginning is not known.

    Attributes:
        found: digests and versions, by what they are of.

    Raises:
        TrainingError: another version of auditor began it.
    """

    def __init__(self, begun: Mapping[str, str]) -> None:
        self._begun = begun
        self.found = {"auditor": __version__}
        if begun.get("auditor", __version__) != __version__:
            raise TrainingError(
                f"this run was started with auditor {begun['auditor']}, and this is auditor {__version__}, which may "
                f"train differently. Install auditor {begun['auditor']} to resume it, or start a new run."
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
                f"training.initial: {path} has changed since this run started. Restore the file, or start a new run."
            )

    def accept(self, program: Program, update: int | None = None) -> None:
        """Take note of the data of a task.

        Args:
            program: the task with its data.
            update: which update of an evolving job has data of its own; None for the data of the job.

        Raises:
            TrainingError: it is not what the audit began with; says what differs.
        """
        prefix = "" if update is None else f"update {update}: "
        whose = "this job's data" if update is None else f"the data of update {update}"
        for part, digest in program.part_digests.items():
            self.found[prefix + part] = digest
            if self._begun.get(prefix + part, digest) != digest:
                raise TrainingError(
                    f"the {part} of {whose}, {program.task.source_of(part)}, has changed since this run "
                    "started: its content is different, or a different library version reads it. Results from "
                    "before and after cannot be compared. Restore the data, or start a new run."
                )
