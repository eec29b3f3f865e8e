"""The client of the provider protocol. It believes nothing: answers are bounded, checked and cleaned."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx

from auditor.job.endpoint import Address
from auditor.providers.answers import accept, bounded, understood
from auditor.providers.errors import Broken, Misbehaved, Refused, Unreachable
from auditor.providers.json_reader import Message
from auditor.providers.protocol import (
    CLIENT_HEADER,
    PREFIX,
    Identity,
    RunRequest,
    RunStatus,
    Simulation,
    TossCommitted,
    TossList,
    TossRequest,
    TossReveal,
)
from auditor.providers.transfers import Download, Upload
from auditor.providers.transport import CONNECT_SECONDS, admitted, broken, credentials, transport_to
from auditor.store.blobs import BlobError, BlobFolder

ANSWER_SECONDS = 10.0
"""No exchange gets less time in all, however short a stall may be: a busy machine takes so long at times."""
LEAST_RATE = 1 << 16
"""Bytes a second; a transfer that is slower over all its length, beside the patience of the client, is given up."""
RETRY_SECONDS = 30.0
"""So long, or as long as the client is patient if that is less, what broke is tried again."""
GREETING_SECONDS = 1.0
"""The same for the first question: where nobody listens, there is rarely anybody soon."""
LEAST_ATTEMPTS = 3
"""However long they take: on a busy machine one may take longer than all are meant to."""
FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
"""Seconds between attempts; each pause is twice the one before."""
JITTER = 0.5, 1.5
"""Pauses are longer or shorter by a factor drawn from here: clients that broke together do not come back together."""
SIMULATION_SECONDS = 600.0
"""Measuring what an attack achieved takes a pass over the held-out samples, which may be many."""
PIECE = 1 << 20
"""Bytes; an attempt that brought so many was none in vain."""

Result = TypeVar("Result")


class ProviderClient:
    """Speaks to one provider.

    Every exchange has a deadline in all: `patience`, or `ANSWER_SECONDS` if that is more, and the time that its bytes
    take at `LEAST_RATE`. What breaks is tried again until then or for `RETRY_SECONDS`: all questions can be asked
    twice.

    Args:
        endpoint: where it is.
        patience: seconds.
        word: what this client is known by to the provider; the same again for who goes on with an earlier audit.
        why_ended: says how the provider's process ended, if that is known: nobody waits for a dead one.

    Raises (every method):
        Unreachable: no connection, or it broke, or it fell silent, or it is too slow.
        Refused: the provider says that it will not or cannot.
        Misbehaved: the provider's answer is not one that the protocol allows.
    """

    def __init__(
        self,
        endpoint: Address,
        *,
        patience: float = 60.0,
        word: str | None = None,
        why_ended: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._endpoint = endpoint
        self._transport, base = transport_to(endpoint)
        self._seconds = max(patience, ANSWER_SECONDS)
        self._retry_seconds = min(RETRY_SECONDS, patience)
        self._why_ended = why_ended
        # It only makes requests. Sending them through it would add redirects and cookies, which nobody needs.
        self._requests = httpx.AsyncClient(
            transport=self._transport,
            base_url=base + PREFIX,
            headers={"accept-encoding": "identity", CLIENT_HEADER: word or secrets.token_hex(32)},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
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
        await self._requests.aclose()

    async def identity(self) -> Identity:
        """Who is there."""
        return await self._ask("GET", "/identity", Identity, retry_seconds=GREETING_SECONDS)

    async def has(self, digest: str) -> bool:
        """Whether the provider has a checkpoint."""

        async def attempt() -> bool:
            async with self._answer("HEAD", f"/blobs/{digest}") as answer:
                return answer.status_code == 200

        return await self._exchange(attempt, self._seconds)

    async def upload(self, path: Path, digest: str) -> int:
        """Make sure that the provider has a checkpoint; returns the bytes that went.

        What breaks off goes on from where the provider says. Where it then has something else, all of it goes again.
        """
        upload = Upload(path, digest)
        try:
            await self._send(upload)
        except Refused:
            if not upload.resumed:
                raise
            await self._send(upload)
        return upload.went

    async def _send(self, upload: Upload) -> None:
        where, upload.resumed = f"/blobs/{upload.digest}", False

        async def attempt() -> None:
            if upload.is_to_be_asked_for:
                async with self._answer("HEAD", where) as answer:
                    await bounded(answer)  # the connection is then used again
                    if not upload.is_needed(answer):
                        return
            async with self._answer("PUT", where, content=upload.pieces(), headers=upload.headers) as answer:
                await accept(answer)

        seconds = self._seconds + upload.size / LEAST_RATE
        await self._exchange(attempt, seconds, progress=lambda: upload.furthest)

    async def start(self, request: RunRequest) -> RunStatus:
        """Start a run, or find the one that was started with this id."""
        return await self._ask("POST", "/runs", RunStatus, content=request.model_dump_json().encode())

    async def status(self, run: str, *, version: int, first: int, wait: float) -> RunStatus:
        """How far a run is; waits up to `wait` seconds for news after `version`.

        Args:
            run: its id.
            version: of the status that is known; -1 for an answer at once.
            first: the index of the first commitment that is not known.
            wait: seconds.
        """
        query = f"version={version}&from={first}&wait={wait:g}"
        return await self._ask("GET", f"/runs/{run}?{query}", RunStatus, seconds=self._seconds + wait)

    async def open(self, digest: str, size: int, blobs: BlobFolder) -> int:
        """Open a commitment: fetch the checkpoint with this digest into `blobs`; returns the bytes that came.

        What breaks off goes on from there, also after this process ended. What comes is fetched a second time, from
        its beginning, before a provider is accused of it.

        Args:
            digest: what the provider committed to.
            size: of every checkpoint of the job, in bytes; not one byte more is taken.
            blobs: where it goes.

        Raises:
            Misbehaved: what comes, twice from its beginning, is longer, shorter or other than what was committed to.
        """
        if await asyncio.to_thread(blobs.has, digest):
            return 0
        download, wrong = Download(digest, size), 0
        while True:
            try:
                return await self._fetch(download, blobs)
            except Misbehaved:
                wrong += not download.resumed  # else what was there before may be what is wrong
                if wrong == 2:
                    raise

    async def release(self, digest: str) -> None:
        """Tell the provider that this checkpoint will not be opened, so that it need not keep it."""
        await self._tell("DELETE", f"/blobs/{digest}")

    async def cancel(self, run: str) -> None:
        """Ask the provider to stop a run."""
        await self._tell("DELETE", f"/runs/{run}")

    async def simulation(self, run: str) -> Simulation:
        """What a simulated attack achieved; refused where nothing is simulated."""
        return await self._ask("GET", f"/runs/{run}/simulation", Simulation, seconds=SIMULATION_SECONDS)

    async def commit_to_toss(self, toss: str, request: TossRequest, seconds: float) -> TossCommitted:
        """Have the provider commit to a random value within `seconds`; asked twice, it commits to the same."""
        content = request.model_dump_json().encode()
        return await self._ask("POST", f"/tosses/{toss}", TossCommitted, content=content, seconds=seconds)

    async def reveal_toss(self, toss: str, commitments: TossList, seconds: float) -> TossReveal:
        """Have the provider reveal within `seconds` what it committed to, once everybody has committed."""
        content = commitments.model_dump_json().encode()
        return await self._ask("POST", f"/tosses/{toss}/reveal", TossReveal, content=content, seconds=seconds)

    async def _tell(self, method: str, path: str) -> None:
        async def attempt() -> None:
            async with self._answer(method, path) as answer:
                await accept(answer)

        await self._exchange(attempt, self._seconds)

    async def _ask(
        self,
        method: str,
        path: str,
        kind: type[Message],
        *,
        content: bytes | None = None,
        seconds: float | None = None,
        retry_seconds: float | None = None,
    ) -> Message:
        async def attempt() -> Message:
            async with self._answer(method, path, content=content) as answer:
                await accept(answer)
                return understood(answer, await bounded(answer), kind)

        return await self._exchange(attempt, seconds or self._seconds, retry_seconds)

    async def _fetch(self, download: Download, blobs: BlobFolder) -> int:
        """Fetch a checkpoint; returns the bytes that came, those of earlier attempts among them."""
        with blobs.resume(download.digest) as incoming:
            await asyncio.to_thread(download.take_up, incoming)

            async def attempt() -> None:
                where = f"/blobs/{download.digest}"
                async with self._answer("GET", where, headers=download.headers) as answer:
                    await download.receive(answer)
                try:
                    await asyncio.to_thread(incoming.keep, download.digest)  # it waits for the disk
                except BlobError:
                    raise Misbehaved("sent a checkpoint other than the one that it had committed to") from None

            seconds = self._seconds + download.size / LEAST_RATE
            try:
                await self._exchange(attempt, seconds, progress=lambda: download.furthest)
            except Unreachable as error:
                came = f"{download.furthest:,} of the {download.size:,} bytes of a checkpoint arrived"
                raise Unreachable(f"{error}; {came}") from None
            except Misbehaved:
                incoming.restart()
                raise
        return download.came

    async def _exchange(
        self,
        attempt: Callable[[], Awaitable[Result]],
        seconds: float,
        retry_seconds: float | None = None,
        progress: Callable[[], int] = lambda: 0,
    ) -> Result:
        """Make attempts until one does not break, all of them together within `seconds`.

        One that brought a transfer further (`progress`, in bytes) is no failure of those that are counted.
        """
        begun, pause, attempts, known = time.monotonic(), FIRST_PAUSE, 0, progress()
        broke: Broken | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await attempt()
                    except Broken as error:
                        broke, attempts = error, attempts + 1
                        if (words := self._why_ended()) is not None:
                            raise Unreachable(words) from None
                        if progress() - known >= PIECE:
                            begun, pause, attempts, known = time.monotonic(), FIRST_PAUSE, 0, progress()
                        overdue = time.monotonic() - begun > (retry_seconds or self._retry_seconds)
                        if overdue and attempts >= LEAST_ATTEMPTS:
                            raise Unreachable(str(error)) from None
                    await asyncio.sleep(pause * random.uniform(*JITTER))
                    pause = min(2 * pause, LAST_PAUSE)
        except TimeoutError:
            raise Unreachable(str(broke or f"no answer for {seconds:.4g} s")) from None

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to one request, whose body is not read yet."""
        request = self._requests.build_request(method, path, content=content, headers=headers)
        request.headers.update(credentials(self._endpoint))
        try:
            answer = await self._transport.handle_async_request(request)
            try:
                admitted(answer, self._endpoint)
                yield answer
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            raise broken(error, self._endpoint) from None
