"""How long a whole audit is expected to take from now on."""

from __future__ import annotations

from auditor.audit.record.state import AuditState
from auditor.job.model import Job


def seconds_left(state: AuditState, job: Job) -> float | None:
    """The seconds until the verdicts, roughly; None while nothing tells how fast the providers are.

    The primary trains what is left at its present rate, and the last replicated sub-run is executed after it. Sub-runs
    that are replicated meanwhile take no time of their own.
    """
    if state.started is None or state.finished is not None:
        return None
    primary = state.provider(state.started.primary)
    step = max(primary.step, state.step)
    rate = primary.rate or (step / state.seconds if state.seconds > 0 else 0.0)
    if not rate > 0:
        return None
    training = 0.0 if state.primary_finished else max(0, job.training.steps - step) / rate
    return training + _replicating(state, job, rate, after=training > 0)


def _replicating(state: AuditState, job: Job, rate: float, *, after: bool) -> float:
    """The time that replicas take once the primary has finished."""
    k, longest = job.audit.sub_run_steps, 0.0
    for index, sub_run in state.sub_runs.items():
        for name, replica in sub_run.replicas.items():
            if not replica.over:
                known = state.provider(name)
                done = min(k, max(0, known.step - index * k))
                longest = max(longest, (k - done) / (known.rate or rate))
    return k / rate if after else longest
