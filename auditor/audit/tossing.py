"""Tossing the coin of a run with all providers (see `auditor.base.coin`), until one toss succeeds."""

from __future__ import annotations

import asyncio

from auditor.audit.connections import Connection
from auditor.audit.record.coin_events import TossedCommitment, TossedValue
from auditor.audit.record.events import TossCommitted, TossRevealed
from auditor.audit.record.state import Toss
from auditor.audit.selection import Selection
from auditor.audit.session import Session
from auditor.base.coin import CLIENT, Fault, Judged, Opening, commitment, judge
from auditor.base.hostile_text import cleaned
from auditor.providers.errors import Misbehaved, ProviderError, Refused
from auditor.providers.protocol import TossCommitment, TossList, TossRequest


class Tossing:
    """Has all providers commit, records it, has all reveal, and records that.

    Who is to blame for a toss that fails is left out of the audit, and so is who was late, until somebody resumes it.

    Args:
        session: the audit.
        selection: the run's secret draws, which the client's values follow from.
    """

    def __init__(self, session: Session, selection: Selection) -> None:
        self._session = session
        self._selection = selection
        audit = session.job.audit
        self._seconds = min(audit.toss_seconds, audit.stall_seconds)

    async def settle(self) -> None:
        """Toss until a toss succeeds or too few are left; go on with the toss that an earlier process was in."""
        session = self._session
        for toss in session.state.tosses.values():
            self._name(toss)
        while session.state.coin is None and session.has_enough:
            begun = [toss.committed for toss in session.state.tosses.values() if toss.revealed is None]
            committed = begun[0] if begun else await self._commit(f"toss-{len(session.state.tosses) + 1}")
            if committed is None:
                return
            missing = await self._reveal(committed)
            self._name(session.state.tosses[committed.toss])
            for name, reason in missing.items():
                session.lose(session.connections[name], reason)

    async def _commit(self, name: str) -> TossCommitted | None:
        """Have everybody commit; who does not is left out before anybody has revealed anything."""
        session = self._session
        toss = f"{session.run}.{name}"
        own = commitment(toss, CLIENT, self._selection.toss_opening(toss))
        received = [TossedCommitment(CLIENT, own)]

        async def ask(connection: Connection) -> None:
            request = TossRequest(name=connection.name, commitment=own)
            try:
                answer = await connection.client.commit_to_toss(toss, request, self._seconds)
            except Misbehaved as error:
                session.blame(connection, None, error)
                session.lose(connection, f"given up because it {error}")
            except ProviderError as error:
                session.excuse(connection)
                session.lose(connection, f"it did not commit in {name}: {error}")
            else:
                received.append(TossedCommitment(connection.name, answer.commitment))

        await asyncio.gather(*map(ask, session.reachable))
        if not session.has_enough:
            return None
        session.write(committed := TossCommitted(toss, tuple(received)))
        return committed

    async def _reveal(self, committed: TossCommitted) -> dict[str, str]:
        """Have everybody reveal, and record what comes of it; returns who was late, and why."""
        session, toss = self._session, committed.toss
        listed = tuple(TossCommitment(name=one.name, commitment=one.commitment) for one in committed.commitments)
        openings: dict[str, Opening] = {CLIENT: self._selection.toss_opening(toss)}
        refused: dict[str, str] = {}
        late: dict[str, str] = {}

        async def ask(connection: Connection) -> None:
            name = connection.name
            try:
                if (reason := session.lost(connection)) is not None:
                    late[name] = reason
                    return
                answer = await connection.client.reveal_toss(toss, TossList(commitments=listed), self._seconds)
                openings[name] = answer.opening
            except Misbehaved as error:
                refused[name] = f"it {error}"
            except ProviderError as error:
                session.excuse(connection)
                if isinstance(error, Refused) and error.deliberate:
                    refused[name] = str(error)
                else:
                    late[name] = f"it did not reveal in {_short(toss)}: {error}"

        names = [one.name for one in committed.commitments if one.name != CLIENT]
        await asyncio.gather(*(ask(session.connections[name]) for name in names))
        pairs = [(one.name, one.commitment) for one in committed.commitments]
        judged = judge(toss, pairs, openings, refused)
        reasons = _reasons(toss, dict(pairs), judged, refused) | {name: cleaned(late[name]) for name in judged.missing}
        values = tuple(
            TossedValue(name, openings[name].value, openings[name].salt) for name, _ in pairs if name in openings
        )
        session.write(TossRevealed(toss, values, judged.faults, judged.missing, reasons, judged.seed))
        return {name: reasons[name] for name in judged.missing}

    def _name(self, toss: Toss) -> None:
        """Accuse those who are to blame for a toss, unless an earlier process did, and leave them out."""
        session, revealed = self._session, toss.revealed
        if revealed is None:
            return
        for name in revealed.faults:
            connection, reason = session.connections[name], revealed.reasons[name]
            if (None, reason) not in session.state.provider(name).misbehaviour:
                session.blame(connection, None, reason)
            session.lose(connection, f"given up because it {reason}")


def _reasons(toss: str, commitments: dict[str, str], judged: Judged, refused: dict[str, str]) -> dict[str, str]:
    """What each did that is to blame, as the end of a sentence."""
    found = {}
    for name, fault in judged.faults.items():
        match fault:
            case Fault.COPIED:
                owners = [other for other, made in commitments.items() if made == commitments[name]]
                owner = next(other for other in owners if other not in judged.faults)
                words = f"copied the commitment of {owner or 'the client'} in {_short(toss)}"
            case Fault.LIED:
                words = f"revealed in {_short(toss)} something else than it had committed to"
            case Fault.REFUSED:
                words = f"did not reveal in {_short(toss)} what it had committed to: {refused[name]}"
        found[name] = cleaned(words)
    return found


def _short(toss: str) -> str:
    """The name of a toss without that of its run."""
    return toss.rpartition(".")[2]
