"""Reading what a client sends: no faster than it comes, no more than is wanted, and not for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from auditor.providers.json_reader import MAX_JSON

SILENCE_SECONDS = 60.0
LEAST_RATE = 1 << 16
"""Bytes a second; a client that is slower over all that it sends, beside `SILENCE_SECONDS`, is given up."""


class TooLong(Exception):  # noqa: N818 - the name reads as what it is
    """More than any request has."""


async def paced(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body as they come.

    Raises:
        TimeoutError: they come too slowly.
    """
    begun, size = time.monotonic(), 0
    while True:
        async with asyncio.timeout(begun + SILENCE_SECONDS + size / LEAST_RATE - time.monotonic()):
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return
        size += len(piece)
        yield piece


async def short_body(pieces: AsyncIterator[bytes]) -> bytes:
    """A body of at most `MAX_JSON` bytes, whatever a header says of its length.

    Raises:
        TooLong: it is longer.
        TimeoutError: it comes too slowly.
    """
    body = bytearray()
    async for piece in paced(pieces):
        body += piece
        if len(body) > MAX_JSON:
            raise TooLong(f"the request is longer than {MAX_JSON:,} bytes")
    return bytes(body)
