"""What each provider did in each sub-run, as one word: the cells of a timeline."""

from __future__ import annotations

from typing import Literal

from auditor.audit.state import AuditState

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


def cell(state: AuditState, provider: str, sub_run: int, suspicious: float) -> Cell:
    """What a provider did in a sub-run.

    Args:
        state: of the audit.
        provider: whose cell.
        sub_run: counted from 0.
        suspicious: the p-value from which on a single judgement counts as flagged.
    """
    if any(where == sub_run for where, _ in state.provider(provider).misbehaviour):
        return "flagged"
    if state.started is not None and provider == state.started.primary:
        return _judged(state, provider, sub_run, suspicious) or _of_primary(state, provider, sub_run)
    return _of_replica(state, provider, sub_run, suspicious)


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


def _of_replica(state: AuditState, provider: str, sub_run: int, suspicious: float) -> Cell:
    one = state.sub_run(sub_run)
    if not one.replicated:
        return "skipped" if one.replicated is False else "waiting"
    replica = one.replicas.get(provider)
    if replica is None:
        return "skipped" if one.over else "drawn"
    if replica.failure is not None:
        return "failed"
    return _judged(state, provider, sub_run, suspicious) or ("returned" if replica.over else "replicating")


def _judged(state: AuditState, provider: str, sub_run: int, suspicious: float) -> Cell | None:
    """What the decision says, once it said something."""
    one = state.sub_run(sub_run)
    if one.undecided is not None:
        return "undecided"
    if one.judgements is None:
        return None
    own = [judgement["p_value"] for judgement in one.judgements if judgement["provider"] == provider]
    told = [p_value for p_value in own if p_value is not None]
    if not told:
        return "undecided" if own else None
    return "flagged" if min(told) <= suspicious else "consistent"
