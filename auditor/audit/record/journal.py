"""Where events go: into the store first, then into the state, then to those who watch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from auditor.audit.record.events import Event
from auditor.audit.record.fold import apply, fold
from auditor.audit.record.state import AuditState
from auditor.store import EventRecord, Store


@dataclass(frozen=True)
class Entry:
    """An event as it was stored, and the state after it."""

    record: EventRecord
    event: Event
    state: AuditState


class Journal:
    """The events of one run, from those of earlier processes on.

    Args:
        store: where they are kept.
        run: the run's id.
    """

    def __init__(self, store: Store, run: str) -> None:
        self._store = store
        self._run = run
        self._state = fold(store.events(run))
        self._entries: asyncio.Queue[Entry | None] = asyncio.Queue()

    @property
    def state(self) -> AuditState:
        """The state after the latest event."""
        return self._state

    def write(self, event: Event) -> None:
        """Make an event durable and part of the state.

        Raises:
            StoreError: it cannot be stored; the state stays as it was.
        """
        record = self._store.append(self._run, event.kind, event.payload())
        self._state = apply(self._state, record)
        self._entries.put_nowait(Entry(record, event, self._state))

    def close(self) -> None:
        """No more events will come."""
        self._entries.put_nowait(None)

    async def next(self) -> Entry | None:
        """The next entry; None after the last."""
        return await self._entries.get()
