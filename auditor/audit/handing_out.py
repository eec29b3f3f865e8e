"""In which order providers are handed checkpoints, so that nobody is given the answer to what they are still asked.

The checkpoint that a sub-run starts from is what the primary returned for the sub-run before. Whoever has it could
return it there.
"""

from __future__ import annotations

import asyncio

from auditor.audit.parties import Party
from auditor.audit.setting import Setting


class HandingOut:
    """Makes a provider wait for a start until it is done with the sub-run before, or will not be asked for that.

    Nobody waits for a later sub-run, so that all come on.

    Args:
        setting: the audit.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._news = asyncio.Condition()

    def preferred(self, sub_run: int) -> list[str]:
        """Who is asked for a sub-run, in which order: last those who were handed what the primary returned for it.

        An audit that was interrupted may have handed it to them before.
        """
        setting = self._setting
        drawn = setting.selection.replica_order(sub_run)
        return sorted(drawn, key=lambda name: sub_run + 1 in setting.state.provider(name).handed)

    async def wait(self, sub_run: int, party: Party) -> None:
        """Return when a provider may be handed what a sub-run starts from."""
        async with self._news:
            await self._news.wait_for(lambda: self._may_have(sub_run, party))

    async def tell(self) -> None:
        """Have those who wait look again: somebody is done with a sub-run, or all are."""
        async with self._news:
            self._news.notify_all()

    def _may_have(self, sub_run: int, party: Party) -> bool:
        if sub_run == 0:
            return True
        before = self._setting.state.sub_run(sub_run - 1)
        own = before.replicas.get(party.name)
        return before.replicated is not True or before.over or (own is not None and own.over)
