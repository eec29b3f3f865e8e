"""A network that is bad: a proxy on a Unix socket that breaks and delays connections, as a seed says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PIECE = 1 << 14
CUT_AFTER = 1_000, 900_000
"""Bytes of a connection, in both directions together, after which it may be broken."""
CUTS = 5
"""So many connections of an agent are broken in all, so that who tries again within its patience gets through."""
DELAYS = 0.0, 0.05
"""Seconds that each piece is held back."""


def bad_network(path: Path, behind: Path, seed: int, *, cuts: bool, delays: bool) -> Callable[[], None]:
    """What serves such a proxy before the socket `behind` until it is killed."""
    draws = random.Random(seed)
    left = CUTS if cuts else 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        rest = [float(draws.randint(*CUT_AFTER) if left else "inf")]
        left -= bool(left)
        try:
            beyond, within = await asyncio.open_unix_connection(behind)
        except OSError:
            writer.close()
            return
        ways = [asyncio.create_task(carry(reader, within, rest)), asyncio.create_task(carry(beyond, writer, rest))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        within.close()
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: list[float]) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                if delays:
                    await asyncio.sleep(draws.uniform(*DELAYS))
                writer.write(piece[: int(min(rest[0], len(piece)))])
                rest[0] -= len(piece)
                await writer.drain()
                if rest[0] <= 0:
                    return

    async def serve() -> None:
        await (await asyncio.start_unix_server(converse, path)).serve_forever()

    return lambda: asyncio.run(serve())
