"""What each provider did in each sub-run, as one word: the cells of a timeline."""

from __future__ import annotations

from typing import Literal

from auditor.audit.record.findings import RecordedJudgement
from auditor.audit.record.state import AuditState

Cell = Literal[
    "waiting",
    "training",
    "committed",
    "skipped",
    "drawn",
    "replicating",
    "returned",
    "consistent",
    "flagged",
    "undecided",
    "failed",
]
"""`skipped` was committed and not drawn; `drawn` waits for a provider; `returned` waits for the decision."""


def cell(state: AuditState, provider: str, sub_run: int) -> Cell:
    """What a provider did in a sub-run.

    Args:
        state: of the audit.
        provider: whose cell.
        sub_run: counted from 0.
    """
    if any(where == sub_run for where, _ in state.provider(provider).misbehaviour):
        return "flagged"
    if state.started is not None and provider == state.started.primary:
        return _judged(state, provider, sub_run) or _of_primary(state, provider, sub_run)
    return _of_replica(state, provider, sub_run)


def _of_primary(state: AuditState, provider: str, sub_run: int) -> Cell:
    match state.phase(sub_run):
        case "training":
            return "failed" if state.provider(provider).lost else "training"
        case "passed":
            return "skipped"
        case "replicating" | "judged":
            return "returned"
        case phase:
            return phase


def _of_replica(state: AuditState, provider: str, sub_run: int) -> Cell:
    replication = state.sub_run(sub_run)
    if not replication.replicated:
        return "skipped" if replication.replicated is False else "waiting"
    replica = replication.replicas.get(provider)
    if replica is None:
        return "skipped" if replication.over else "drawn"
    if replica.failure is not None:
        return "failed"
    return _judged(state, provider, sub_run) or ("returned" if replica.over else "replicating")


def _judged(state: AuditState, provider: str, sub_run: int) -> Cell | None:
    """What the decision says, once it said something."""
    replication = state.sub_run(sub_run)
    if replication.undecided is not None:
        return "undecided"
    if replication.judgements is None:
        return None
    own = [judged(found) for found in replication.judgements if found.provider == provider]
    for worse in ("flagged", "consistent"):
        if worse in own:
            return worse
    return "undecided" if own else None


def judged(judgement: RecordedJudgement) -> Literal["flagged", "consistent", "undecided"]:
    """What one judgement by itself says of its provider, as the decision had it when it was made.

    `undecided` where it could not tell, and where an earlier version did not record what was decided.
    """
    if judgement.p_value is None or judgement.deviates is None:
        return "undecided"
    return "flagged" if judgement.deviates else "consistent"
