"""Stopping early, and going on where an audit is unsure; the evidence holds whenever it is looked at."""

from __future__ import annotations

from auditor.audit.record.state import AuditState
from auditor.audit.verdicts import judge_providers
from auditor.decisions import Assumptions
from auditor.planning import Choice

DOUBT = 0.2
"""Where some provider's p-value is below it and nobody is flagged, more sub-runs are worth their price."""


def primary_is_flagged(state: AuditState, choice: Choice, assumptions: Assumptions) -> bool:
    """Whether what is known by now flags the primary, so that its model is of no use any more."""
    primary = state.started.primary if state.started else None
    verdicts = judge_providers(state, choice, assumptions)
    return any(verdict.verdict == "flagged" for verdict in verdicts if verdict.name == primary)


def is_unsure(state: AuditState, choice: Choice, assumptions: Assumptions) -> bool:
    """Whether what is known by now flags nobody but leaves a doubt about somebody."""
    verdicts = judge_providers(state, choice, assumptions)
    smallest = min((verdict.p_value for verdict in verdicts if verdict.p_value is not None), default=1.0)
    return smallest <= DOUBT and not any(verdict.verdict == "flagged" for verdict in verdicts)
