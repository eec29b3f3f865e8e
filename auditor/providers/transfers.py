"""A checkpoint on its way between a client and a provider, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx

from auditor.providers.answers import accept, declared_length
from auditor.providers.errors import Broken, Misbehaved
from auditor.providers.protocol import OFFSET_HEADER
from auditor.store.blobs import IncomingBlob

PIECE = 1 << 20
NUMBER = re.compile(r"\d{1,18}", re.ASCII)
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)


class Download:
    """A checkpoint that comes from a provider.

    Args:
        digest: of the checkpoint.
        size: in bytes; not one more is taken.

    Attributes:
        came: bytes that came, those that came twice counted twice.
        furthest: how many bytes of the checkpoint were there at most.
        resumed: whether it goes on from what came in an earlier transfer, perhaps from somebody else.
    """

    def __init__(self, digest: str, size: int) -> None:
        self.digest = digest
        self.size = size
        self.came = 0
        self.furthest = 0
        self.resumed = False
        self._in_parts = True

    def take_up(self, incoming: IncomingBlob) -> None:
        """Go on from what came before, unless that cannot be the beginning of the checkpoint; it reads all of it."""
        self._incoming = incoming
        if incoming.take_up() >= self.size:
            incoming.restart()
        self.furthest = incoming.size
        self.resumed = incoming.size > 0

    @property
    def headers(self) -> Mapping[str, str]:
        """What to ask the provider with."""
        begin = self._incoming.size
        return {"range": f"bytes={begin}-", "if-range": f'"{self.digest}"'} if begin and self._in_parts else {}

    async def receive(self, answer: httpx.Response) -> None:
        """Take what the provider sends.

        Raises:
            Misbehaved: it is complete, and longer or shorter than the checkpoint.
            Broken: it is not complete; another request goes on from there.
            Refused: the provider says that it will not or cannot.
            Unreachable: something answers that does not speak the protocol.
        """
        incoming, asked_in_parts = self._incoming, bool(self.headers)
        if asked_in_parts and answer.status_code != httpx.codes.PARTIAL_CONTENT:
            self._in_parts = answer.status_code >= 500  # else it knows no parts: it is asked for all, or sends that now
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise Broken("the provider did not go on where the connection had broken")
        await accept(answer)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            if not asked_in_parts or not self._goes_on(answer):
                self._in_parts = False
                raise Broken("the provider did not go on where the connection had broken")
        elif incoming.size:
            incoming.restart()
        begin = incoming.size
        async for piece in answer.aiter_raw():
            incoming.write(piece)
            self.came += len(piece)
            self.furthest = max(self.furthest, incoming.size)
            if incoming.size > self.size:
                raise Misbehaved(f"sent more than the {self.size:,} bytes of a checkpoint of this job")
        if incoming.size < self.size:
            if answer.status_code == httpx.codes.PARTIAL_CONTENT or declared_length(answer) != incoming.size - begin:
                raise Broken("the connection broke")
            raise Misbehaved(f"sent {incoming.size:,} bytes for a checkpoint of {self.size:,}")

    def _goes_on(self, answer: httpx.Response) -> bool:
        found = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        return found is not None and int(found[1]) == self._incoming.size


class Upload:
    """A checkpoint that goes to a provider.

    Args:
        path: of its file.
        digest: of the checkpoint.

    Attributes:
        size: in bytes.
        went: bytes that went, those that went twice counted twice.
        furthest: how many bytes the provider had at most when an attempt began.
        resumed: whether an attempt went on from where one before it broke off.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        self._begin = 0
        self._sent: int | None = None
        self.digest = digest
        self.size = path.stat().st_size
        self.went = 0
        self.furthest = 0
        self.resumed = False

    @property
    def is_to_be_asked_for(self) -> bool:
        """Whether the provider may have it, or so much of it that going on from there is worth a question."""
        return self._sent is None or self._begin > 0 or self._sent >= PIECE

    def is_needed(self, answer: httpx.Response) -> bool:
        """Whether the provider lacks it, as its answer to HEAD says; the answer also says from where to go on."""
        told = answer.headers.get(OFFSET_HEADER, "")
        known = int(told) if NUMBER.fullmatch(told) else 0
        self._begin = known if known < self.size else 0
        self.resumed = self.resumed or self._begin > 0
        self.furthest = max(self.furthest, self._begin)
        return answer.status_code != httpx.codes.OK

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the request."""
        length = {"content-length": str(self.size - self._begin)}
        part = {"content-range": f"bytes {self._begin}-{self.size - 1}/{self.size}"}
        return length | part if self._begin else length

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body of the request."""
        self._sent = 0
        with self._path.open("rb") as file:
            file.seek(self._begin)
            while piece := await asyncio.to_thread(file.read, PIECE):
                self._sent += len(piece)
                self.went += len(piece)
                yield piece
