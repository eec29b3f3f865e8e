"""Why the store cannot be used as asked."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used as asked; the message says why and what to do."""


class UnknownRun(StoreError):  # noqa: N818 - the name reads as what it is
    """No run, or more than one, has the given id."""


class DamagedRun(StoreError):  # noqa: N818 - the name reads as what it is
    """What is kept of a run cannot be read, or was written by a newer version. Other runs are not affected.

    Attributes:
        run: its id.
        reason: what is wrong, as the rest of a sentence.
    """

    def __init__(self, run: str, reason: str) -> None:
        super().__init__(
            f"run {run} is damaged, or a newer version of auditor wrote it: {reason}. It cannot be shown or resumed; "
            "other runs are not affected. If auditor is up to date, start the job again with `auditor run`."
        )
        self.run = run
        self.reason = reason
