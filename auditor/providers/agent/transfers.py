"""Checkpoints that go and come in parts: transfers go on where they broke off."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from auditor.providers.json_reader import Nonsense
from auditor.store.blobs import BlobFolder

LETTING_GO_SECONDS = 2.0
"""So long an upload that the client no longer sends may take to notice that."""
PAUSE = 0.02
RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?", re.ASCII)
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")


class _Answer(FileResponse):
    chunk_size = 1 << 20


class NoSuchPart(Exception):  # noqa: N818 - the name reads as what it is
    """A range that begins after the end of a checkpoint.

    Attributes:
        size: of the checkpoint, in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the checkpoint ends after {size:,} bytes")
        self.size = size


def checkpoint_answer(path: Path, request: Request) -> Response:
    """The answer with a checkpoint, or with the part of it that was asked for.

    What its bytes are follows from its name, which is therefore its entity tag (RFC 9110, 8.8.3). What asks for
    anything but one part that begins somewhere gets all of it, as by RFC 9110, 14.2.

    Raises:
        NoSuchPart: the checkpoint ends before.
        OSError: it cannot be read.
    """
    tag, size = f'"{path.name}"', path.stat().st_size
    wanted = RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None or int(wanted[2] or wanted[1]) < int(wanted[1]) or request.headers.get("if-range", tag) != tag:
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
    elif int(wanted[1]) >= size:
        raise NoSuchPart(size)
    return _Answer(path, media_type="application/octet-stream", headers={"etag": tag})


async def begun_bytes(blobs: BlobFolder, digest: str) -> int:
    """How many bytes of an upload came before it broke off, from where it can go on."""
    for _ in range(int(LETTING_GO_SECONDS / PAUSE)):
        if (size := blobs.begun(digest)) is not None:
            return size
        await asyncio.sleep(PAUSE)
    return 0


def first_byte(content_range: str | None) -> int:
    """Where in a checkpoint the body of an upload begins.

    Args:
        content_range: the header, if there is one.

    Raises:
        Nonsense: it is none.
    """
    if content_range is None:
        return 0
    found = CONTENT_RANGE.fullmatch(content_range)
    if found is None:
        raise Nonsense("content-range must read bytes FIRST-LAST/SIZE")
    return int(found[1])
