"""What the process says by its exit code, so that a pipeline can act on it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """See each member."""

    CLEAN = 0
    """Finished, every provider consistent."""
    FAILED = 1
    """Failed while running."""
    USAGE = 2
    """Usage or job-file error; nothing was started."""
    TOO_FEW_PROVIDERS = 3
    """Too few providers could be reached to audit."""
    FLAGGED = 10
    """At least one provider flagged."""
    INCONCLUSIVE = 11
    """Finished, but there is too little evidence for a verdict."""
    INTERRUPTED = 130
    """Interrupted; the run can be resumed."""


EXPLANATION = """\
Exit codes: 0 every provider consistent, 1 failed while running, 2 usage or job-file error, 3 too few providers \
could be reached, 10 at least one provider flagged, 11 inconclusive, 130 interrupted (the run can be resumed).
"""

OUTCOMES = {"clean": ExitCode.CLEAN, "flagged": ExitCode.FLAGGED, "inconclusive": ExitCode.INCONCLUSIVE}
