"""What asyncio complains of when a read of a Unix socket is cancelled just as something arrives."""

from __future__ import annotations

import asyncio
from typing import Any


def overlook_late_wakeups(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for an event loop: silent on late wake-ups, otherwise as the loop's own.

    anyio, below httpx, waits for a Unix socket with a future whose `set_result` is called when the socket is ready
    (`_RawSocketMixin._wait_until_readable`). If the wait is cancelled in the very turn of the loop in which the
    socket gets ready, that call finds the future cancelled, and asyncio would print a traceback although nobody
    waits any more and nothing is lost: after Ctrl-C, for instance.
    """
    late = isinstance(context.get("exception"), asyncio.InvalidStateError) and "set_result" in context["message"]
    if not late:
        loop.default_exception_handler(context)
