"""Checkpoints that go and come in parts: transfers go on where they broke off."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from starlette.responses import FileResponse, Response

from auditor.providers.json_reader import Nonsense
from auditor.store.blobs import BlobFolder

LETTING_GO_SECONDS = 2.0
"""So long an upload that the client no longer sends may take to notice that."""
PAUSE = 0.02
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")


class _Answer(FileResponse):
    chunk_size = 1 << 20


def checkpoint_answer(path: Path) -> Response:
    """The answer with a checkpoint, or with the part of it that was asked for.

    What its bytes are follows from its name, which is therefore its entity tag (RFC 9110, 8.8.3).
    """
    return _Answer(path, media_type="application/octet-stream", headers={"etag": f'"{path.name}"'})


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
