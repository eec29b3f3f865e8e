"""Who drew what is random in a run, and what shows it."""

from __future__ import annotations

from typing import Any

from auditor.audit.record import events as e
from auditor.audit.record.state import AuditState, Toss
from auditor.base.coin import CLIENT
from auditor.base.seeds import Drawer
from auditor.job.model import Job


def coins(job: Job, state: AuditState) -> dict[str, Any]:
    """The coins of a run, as JSON can hold them.

    Args:
        job: of the run.
        state: of the run.
    """
    compared = state.compared
    return {
        "drawn_by": job.audit.drawn_by,
        "initial_state": "given" if job.training.initial is not None else "drawn",
        "seed": f"{state.coin:064x}" if state.coin is not None else None,
        "disclosed_seed": None if state.disclosed is None else str(state.disclosed),
        "start": None
        if compared is None
        else {
            "digest": compared.digest,
            "expected": compared.expected,
            "difference": compared.difference,
            "agrees": compared.agrees,
        },
        "tosses": [_toss(toss) for toss in state.tosses.values()],
    }


def _toss(toss: Toss) -> dict[str, Any]:
    revealed = toss.revealed
    opened = {one.name: one for one in revealed.values} if revealed is not None else {}
    return {
        "toss": toss.committed.toss,
        "participants": [
            {
                "name": one.name,
                "commitment": one.commitment,
                "value": opened[one.name].value if one.name in opened else None,
                "salt": opened[one.name].salt if one.name in opened else None,
                "fault": None if revealed is None else revealed.faults.get(one.name),
                "reason": None if revealed is None else revealed.reasons.get(one.name),
            }
            for one in toss.committed.commitments
        ],
        "seed": revealed and revealed.seed,
    }


def coin_lines(state: AuditState) -> list[str]:
    """What a report in words says of the coins; nothing where the client drew them, or the primary in silence."""
    lines = []
    if state.tosses:
        count = len(state.tosses)
        tosses = f"{count} toss{'' if count == 1 else 'es'}"
        if state.coin is None:
            lines.append(f"Coins: no seed after {tosses}.")
        else:
            last = list(state.tosses.values())[-1].committed.commitments
            lines.append(f"Coins: {len(last) - 1} providers and the client tossed the seed in {tosses}.")
    if state.disclosed is not None:
        lines.append(f"Coins: the primary drew the seed and disclosed it as {state.disclosed}.")
    if state.compared is not None:
        verb = "follows" if state.compared.agrees else "does not follow"
        lines.append(f"Its initial state {verb} from that seed.")
    return lines


def coin_sentence(event: e.TossCommitted | e.TossRevealed | e.SeedDisclosed | e.StartCompared) -> str:
    """What happened to the coins, in plain words."""
    match event:
        case e.TossCommitted():
            return (
                f"{event.toss}: {len(event.commitments) - 1} providers and the client have committed to random values"
            )
        case e.TossRevealed() if event.seed is not None:
            return f"{event.toss}: all have revealed; the seed is {event.seed[:12]}…"
        case e.TossRevealed():
            reasons = "; ".join(f"{name} {reason}" for name, reason in event.reasons.items())
            return f"{event.toss} failed: {reasons}"
        case e.SeedDisclosed():
            return f"{event.provider} drew the seed for all and disclosed it as {event.seed}"
        case e.StartCompared():
            verb = "follows" if event.agrees else "does not follow"
            return f"the initial state of the primary {verb} from the seed that it disclosed"


def coin_limits(job: Job, state: AuditState) -> list[str]:
    """What nobody may conclude from the coins of a run."""
    audit = job.audit
    if audit.drawn_by is Drawer.COIN:
        return [
            "A provider that dislikes what a toss would give can stop it, and is then left out of the next. So c "
            "providers that work together choose among at most c + 1 tosses. "
            f"{len(state.tosses)} {'was' if len(state.tosses) == 1 else 'were'} made here."
        ]
    if job.primary_discloses:
        return [
            "The primary drew the seed that all share. It can have tried many and taken the one that suited it best."
        ]
    if job.primary_draws_start:
        return [
            "The primary drew the initial weights. A backdoor that is in them cannot be seen by comparing executions: "
            "every replica starts from them."
        ]
    return []


def participant(name: str) -> str:
    """What a participant of a toss is called in a report."""
    return "the client" if name == CLIENT else name
