"""What an answer of a provider amounts to: what it says, that it refuses, or that it is none."""

from __future__ import annotations

from contextlib import suppress

import httpx

from auditor.providers.errors import Broken, Misbehaved, Refused, Unreachable
from auditor.providers.json_reader import MAX_JSON, Message, Nonsense, read_message
from auditor.providers.protocol import ErrorMessage

NO_ROOM = 507
"""The one failure of a provider that another request does not mend: its disk is full."""


async def accept(answer: httpx.Response) -> None:
    """Let an answer pass that is a success, and has a body that can be taken as it comes.

    Raises:
        Refused: the provider says that it will not or cannot.
        Broken: the provider, or a proxy before it, failed.
        Unreachable: something answers that does not speak the protocol.
    """
    status = answer.status_code
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unreachable("answered in an encoding that was not requested")
    if 200 <= status < 300:
        return
    if not 400 <= status < 600:
        raise Unreachable(f"HTTP status {status}, which is not followed")
    reason, own = f"HTTP status {status}", False
    # What stands between may answer with a page for people; the status then says enough.
    with suppress(Nonsense, Misbehaved):
        reason, own = read_message(await bounded(answer), ErrorMessage).error or reason, True
    if status == httpx.codes.REQUEST_TIMEOUT or (status >= 500 and status != NO_ROOM):
        raise Broken(f"the provider failed: {reason}")
    # A provider that lost its disk knows nothing of what it is asked for.
    unknown = status == httpx.codes.NOT_FOUND
    raise Refused(reason, deliberate=own and status < 500 and not unknown, forgotten=unknown)


async def bounded(answer: httpx.Response) -> bytes:
    """The body of an answer in JSON.

    Raises:
        Misbehaved: it is longer than any.
    """
    body = bytearray()
    async for piece in answer.aiter_raw(1 << 16):
        body += piece
        if len(body) > MAX_JSON:
            raise Misbehaved(f"answered with more than {MAX_JSON:,} bytes")
    return bytes(body)


def understood(answer: httpx.Response, body: bytes, kind: type[Message]) -> Message:
    """What an answer says.

    Raises:
        Misbehaved: it is complete, and nonsense.
        Broken: it is nonsense, but may have been cut off, because it does not say how long it is.
    """
    try:
        return read_message(body, kind)
    except Nonsense as error:
        chunked = "chunked" in answer.headers.get("transfer-encoding", "")
        if not chunked and declared_length(answer) is None:
            raise Broken(f"the answer has no stated length and was cut off: {error}") from None
        raise Misbehaved(f"gave an invalid answer: {error}") from None


def declared_length(answer: httpx.Response) -> int | None:
    """How many bytes the body has, as the answer says; None if it does not."""
    length = answer.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
