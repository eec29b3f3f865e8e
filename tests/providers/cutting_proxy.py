"""A proxy on a Unix socket that counts the bytes on their way, breaks connections, and flips bytes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path


class CuttingProxy:
    """Stands between a client and an agent.

    Args:
        behind: the agent's socket.
        cuts: breaks the connection each time so many bytes have passed in the direction of the checkpoint.
        up: whether checkpoints go to the agent, rather than come from it.
        flips: the places of bytes that are flipped on their way, counted in all bytes in that direction.

    Attributes:
        passed: bytes in that direction.
    """

    def __init__(
        self, behind: Path, *, cuts: tuple[int, ...] = (), up: bool = False, flips: tuple[int, ...] = ()
    ) -> None:
        self._behind = behind
        self._cuts = list(cuts)
        self._up = up
        self._flips = flips
        self.passed = 0

    async def serve(self, path: Path) -> asyncio.Server:
        """Listen on a socket."""
        return await asyncio.start_unix_server(self._connected, path)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_unix_connection(self._behind)
        copying = [
            asyncio.create_task(self._copy(reader, behind_writer, counted=self._up)),
            asyncio.create_task(self._copy(behind_reader, writer, counted=not self._up)),
        ]
        await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
        for copy in copying:
            copy.cancel()
        writer.close()
        behind_writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool) -> None:
        with suppress(OSError):
            while piece := bytearray(await reader.read(1 << 14)):
                if counted and self._cuts and self.passed + len(piece) >= self._cuts[0]:
                    del piece[self._cuts.pop(0) - self.passed :]
                    writer.write(self._flipped(piece))
                    await writer.drain()
                    return
                writer.write(self._flipped(piece) if counted else piece)
                await writer.drain()

    def _flipped(self, piece: bytearray) -> bytearray:
        for place in self._flips:
            if 0 <= place - self.passed < len(piece):
                piece[place - self.passed] ^= 1
        self.passed += len(piece)
        return piece
