"""The order in which providers are given checkpoints, so that nobody is given the answer to what they are still asked.

The checkpoint that a sub-run starts from is what the primary returned for the sub-run before. A provider that has it
could return it there.
"""

from __future__ import annotations

import asyncio

from auditor.audit.connections import Connection
from auditor.audit.session import Session


class Handover:
    """Makes a provider wait for a start until it is done with the sub-run before, or will not be asked for that.

    Nobody waits for a later sub-run, so every provider gets its turn.

    Args:
        session: the audit.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changed = asyncio.Condition()

    def preferred(self, sub_run: int) -> list[str]:
        """The providers that are asked for a sub-run, in order; last those that were handed what the primary returned.

        An audit that was interrupted may have handed it to them before.
        """
        session = self._session
        drawn = session.replica_order(sub_run)
        return sorted(drawn, key=lambda name: sub_run + 1 in session.state.provider(name).handed)

    async def wait(self, sub_run: int, connection: Connection) -> None:
        """Return when a provider may be handed what a sub-run starts from."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._may_have(sub_run, connection))

    async def notify(self) -> None:
        """Have those who wait look again: a provider is done with a sub-run, or all are."""
        async with self._changed:
            self._changed.notify_all()

    def _may_have(self, sub_run: int, connection: Connection) -> bool:
        if sub_run == 0:
            return True
        before = self._session.state.sub_run(sub_run - 1)
        own = before.replicas.get(connection.name)
        return before.replicated is not True or before.over or (own is not None and own.over)
