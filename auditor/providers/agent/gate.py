"""What stands before an agent's questions: who may ask, and how often."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from contextlib import suppress

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from auditor.providers.agent.access_token import lets_in

PEERS = 10_000
"""So many machines are told apart; of more, those that asked longest ago are forgotten."""


class Gate:
    """Asks for the token, and counts requests.

    Args:
        app: what is behind it.
        token_digest: SHA-256 of the token; None lets everybody in.
        requests_per_minute: of one machine; as many may come at once.
    """

    def __init__(self, app: ASGIApp, token_digest: bytes | None, requests_per_minute: float) -> None:
        self._app = app
        self._token_digest = token_digest
        self._rate = Rate(requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._rate.admits(machine(scope.get("client"))):
            refusal = JSONResponse({"error": "too many requests; ask again later"}, 429, {"retry-after": "1"})
            await refusal(scope, receive, send)
            return
        header = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"authorization"), None)
        if self._token_digest is not None and not lets_in(header, self._token_digest):
            words = "the header authorization must be: Bearer, and the token of this agent"
            refusal = JSONResponse({"error": words}, 401, {"www-authenticate": "Bearer", "connection": "close"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Rate:
    """How often each machine may ask: so many times in a minute, at once or spread over it."""

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admits(self, peer: str) -> bool:
        """Whether one more request of a machine is answered."""
        now = time.monotonic()
        left, since = self._left.pop(peer, (self._per_minute, now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        admitted = left >= 1
        self._left[peer] = (left - admitted, now)
        if len(self._left) > PEERS:
            self._left.popitem(last=False)
        return admitted


def machine(client: tuple[str, int] | None) -> str:
    """What tells machines apart: the address; of IPv6 the first half, as one machine has all of the other."""
    if client is None:
        return ""
    with suppress(ValueError):
        address = ipaddress.ip_address(client[0].partition("%")[0])
        if address.version == 6:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return client[0]
