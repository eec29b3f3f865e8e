"""HTTP connections that are bounded: in number for each machine, and in how slowly a client may ask and read."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from auditor.providers.agent.gate import machine
from auditor.providers.agent.limits import Limits


def bounded_connections(limits: Limits) -> type[asyncio.Protocol]:
    """What speaks HTTP on each connection of one server, which counts them.

    Args:
        limits: of connections and of time. Connections over a Unix socket have no machine, and are not counted.
    """
    counts: Counter[str] = Counter()

    class BoundedConnection(H11Protocol):
        """One connection."""

        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, object],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self._overdue: asyncio.TimerHandle | None = None
            self._stalled: asyncio.TimerHandle | None = None
            self._machine = ""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._machine = machine(self.client)
            counts[self._machine] += 1
            if self._machine and counts[self._machine] > limits.connections:
                transport.abort()
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            counts[self._machine] -= 1
            if counts[self._machine] <= 0:
                del counts[self._machine]
            self._stop_watching()
            self._stop_waiting()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stop_waiting()
            self._stalled = self.loop.call_later(limits.stall_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._stop_waiting()

        def _watch(self) -> None:
            """Give up the connection unless a request begins in time; one that is under way has limits of its own."""
            waiting = self.cycle is None or self.cycle.response_complete
            if not waiting:
                self._stop_watching()
            elif self._overdue is None and not self.transport.is_closing():
                self._overdue = self.loop.call_later(limits.header_seconds, self.transport.abort)

        def _stop_watching(self) -> None:
            if self._overdue is not None:
                self._overdue.cancel()
                self._overdue = None

        def _stop_waiting(self) -> None:
            if self._stalled is not None:
                self._stalled.cancel()
                self._stalled = None

    return cast(type[asyncio.Protocol], BoundedConnection)
