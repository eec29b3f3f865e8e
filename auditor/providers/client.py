"""The client of the provider protocol. It believes nothing: answers are bounded, checked and cleaned."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from auditor.job.endpoint import HttpsEndpoint, UnixEndpoint
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.providers.hostile_text import cleaned
from auditor.providers.protocol import MAX_JSON, PREFIX, Identity, RunRequest, RunStatus, Simulation
from auditor.store.blobs import BlobError, BlobFolder

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""A transfer during which nothing arrives for so long is given up."""
PIECE = 1 << 20

Message = TypeVar("Message", bound=BaseModel)


class ProviderClient:
    """Speaks to one provider.

    Raises (every method):
        Unreachable: no connection, or it broke, or it fell silent.
        Refused: the provider says that it will not or cannot.
        Misbehaved: the provider's answer is not one that the protocol allows.
    """

    def __init__(self, endpoint: UnixEndpoint | HttpsEndpoint) -> None:
        if isinstance(endpoint, UnixEndpoint):
            transport = httpx.AsyncHTTPTransport(uds=str(endpoint.path))
            base = "http://provider"
        else:
            transport = httpx.AsyncHTTPTransport(retries=1)
            base = endpoint.url
        self._http = httpx.AsyncClient(
            base_url=base + PREFIX,
            transport=transport,
            timeout=httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def identity(self) -> Identity:
        """Who is there."""
        return await self._ask("GET", "/identity", Identity)

    async def has(self, digest: str) -> bool:
        """Whether the provider has a checkpoint."""
        async with self._answer("HEAD", f"/blobs/{digest}") as answer:
            return answer.status_code == 200

    async def upload(self, path: Path, digest: str) -> int:
        """Make sure that the provider has a checkpoint; returns the bytes that went."""
        if await self.has(digest):
            return 0
        headers = {"content-length": str(path.stat().st_size)}
        async with self._answer("PUT", f"/blobs/{digest}", content=_pieces(path), headers=headers) as answer:
            await _accept(answer)
        return path.stat().st_size

    async def start(self, request: RunRequest) -> RunStatus:
        """Start a run, or find the one that was started with this id."""
        return await self._ask("POST", "/runs", RunStatus, content=request.model_dump_json())

    async def status(self, run: str, *, version: int, first: int, wait: float) -> RunStatus:
        """How far a run is; waits up to `wait` seconds for news after `version`.

        Args:
            run: its id.
            version: of the status that is known; -1 for an answer at once.
            first: the index of the first commitment that is not known.
            wait: seconds.
        """
        query = f"version={version}&from={first}&wait={wait:g}"
        return await self._ask("GET", f"/runs/{run}?{query}", RunStatus)

    async def open(self, digest: str, size: int, blobs: BlobFolder) -> int:
        """Open a commitment: fetch the checkpoint with this digest into `blobs`; returns the bytes that came.

        Args:
            digest: what the provider committed to.
            size: of every checkpoint of the job, in bytes; not one byte more is taken.
            blobs: where it goes.

        Raises:
            Misbehaved: what comes is longer, shorter or other than what was committed to.
        """
        if blobs.has(digest):
            return 0
        async with self._answer("GET", f"/blobs/{digest}") as answer:
            await _accept(answer)
            with blobs.receive() as incoming:
                try:
                    async for piece in answer.aiter_raw(PIECE):
                        incoming.write(piece)
                        if incoming.size > size:
                            raise Misbehaved(f"sent more than the {size:,} bytes of a checkpoint of this job")
                except httpx.RemoteProtocolError:
                    raise Misbehaved(f"broke off after {incoming.size:,} of {size:,} bytes of a checkpoint") from None
                if incoming.size < size:
                    raise Misbehaved(f"sent {incoming.size:,} bytes for a checkpoint of {size:,}")
                try:
                    incoming.keep(expected=digest)
                except BlobError:
                    raise Misbehaved("sent another checkpoint than the one it had committed to") from None
        return size

    async def release(self, digest: str) -> None:
        """Tell the provider that this checkpoint will not be opened, so that it need not keep it."""
        async with self._answer("DELETE", f"/blobs/{digest}") as answer:
            await _accept(answer)

    async def cancel(self, run: str) -> None:
        """Ask the provider to stop a run."""
        async with self._answer("DELETE", f"/runs/{run}") as answer:
            await _accept(answer)

    async def simulation(self, run: str) -> Simulation:
        """What a simulated attack achieved; refused where nothing is simulated."""
        return await self._ask("GET", f"/runs/{run}/simulation", Simulation)

    async def _ask(self, method: str, path: str, kind: type[Message], content: str | None = None) -> Message:
        async with self._answer(method, path, content=content) as answer:
            await _accept(answer)
            body = await _bounded(answer)
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            detail = error.errors()[0]
            place = ".".join(str(part) for part in detail["loc"])
            raise Misbehaved(cleaned(f"answered nonsense: {place} {detail['msg']}")) from None

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        try:
            async with self._http.stream(method, path, **options) as answer:
                yield answer
        except httpx.RemoteProtocolError as error:
            raise Unreachable(cleaned(f"the connection broke: {error}")) from None
        except httpx.TimeoutException:
            raise Unreachable("it does not answer in time") from None
        except httpx.TransportError as error:
            raise Unreachable(cleaned(f"no connection: {error}")) from None
        except httpx.HTTPError as error:
            raise Misbehaved(cleaned(f"answered nonsense: {error}")) from None


async def _accept(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    body = await _bounded(answer)
    try:
        reason = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        reason = f"HTTP status {answer.status_code}"
    raise Refused(cleaned(reason))


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_raw(1 << 16):
        body += piece
        if len(body) > MAX_JSON:
            raise Misbehaved(f"answered with more than {MAX_JSON:,} bytes")
    return bytes(body)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
