"""The job of a run, as it was kept when the run began."""

from __future__ import annotations

from pydantic import ValidationError

from auditor.job.model import Job
from auditor.store import DamagedRun, RunRecord


def stored_job(run: RunRecord) -> Job:
    """The job that a run audits.

    Raises:
        DamagedRun: it is none, or one that only another version of auditor understands.
    """
    try:
        return Job.model_validate_json(run.job)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "its text"
        raise DamagedRun(
            run.id, f"the stored job cannot be read: {place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        ) from None
