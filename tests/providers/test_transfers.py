"""Transfers that break off go on from there; what is flipped on its way is found, and nobody is blamed for our disk."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auditor.job.endpoint import UnixEndpoint
from auditor.providers.agent.app import make_app
from auditor.providers.agent.limits import Limits
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.client import ProviderClient
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.store.blobs import PARTIAL, BlobFolder
from tests.providers.cutting_proxy import CuttingProxy

SIZE = 6 << 20
BYTES = random.Random(1).randbytes(SIZE)
DIGEST = hashlib.sha256(BYTES).hexdigest()
WORD = "w" * 16
MB = 1 << 20
SLACK = MB // 4
"""Bytes of headers, and of what was on its way when a connection broke."""


@asynccontextmanager
async def agent(folder: Path, around: Callable[[ASGIApp], ASGIApp] = lambda app: app, **settings: Any) -> Any:
    """An agent on the socket `agent` of a folder."""
    app = make_app(AgentSettings("agent", "cpu", 1, folder / "agent-files", folder, **settings))
    config = uvicorn.Config(around(app), uds=str(folder / "agent"), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await serving


@asynccontextmanager
async def through(folder: Path, proxy: CuttingProxy, patience: float = 5.0) -> AsyncIterator[ProviderClient]:
    path = folder / "proxy"
    server = await proxy.serve(path)
    async with ProviderClient(UnixEndpoint(path), patience=patience, word=WORD) as client:
        yield client
    server.close()
    path.unlink()


async def given(folder: Path) -> None:
    """Have the agent hold the checkpoint."""
    (folder / "file").write_bytes(BYTES)
    async with ProviderClient(UnixEndpoint(folder / "agent"), word=WORD) as client:
        await client.upload(folder / "file", DIGEST)


async def moved(client: ProviderClient, folder: Path, *, up: bool) -> int:
    """Send the checkpoint or fetch it; returns the bytes that travelled, as the client says."""
    if up:
        return await client.upload(folder / "file", DIGEST)
    return await client.open(DIGEST, SIZE, BlobFolder(folder / "blobs"))


def partials(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{PARTIAL}*"))


async def test_a_download_that_breaks_goes_on_from_there(tmp_path: Path) -> None:
    async with agent(tmp_path):
        await given(tmp_path)
        proxy = CuttingProxy(tmp_path / "agent", cuts=(2 * MB, 5 * MB))
        async with through(tmp_path, proxy) as client:
            blobs = BlobFolder(tmp_path / "blobs")
            assert await client.open(DIGEST, SIZE, blobs) == SIZE
        assert blobs.path(DIGEST).read_bytes() == BYTES
        assert SIZE < proxy.passed < SIZE + SLACK
        assert not partials(tmp_path)


async def test_an_upload_that_breaks_goes_on_from_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BYTES)
    async with agent(tmp_path):
        proxy = CuttingProxy(tmp_path / "agent", cuts=(2 * MB, 5 * MB), up=True)
        async with through(tmp_path, proxy) as client:
            went = await client.upload(tmp_path / "file", DIGEST)
        (kept,) = (tmp_path / "agent-files").rglob(DIGEST)
        assert kept.read_bytes() == BYTES
        assert SIZE < proxy.passed < SIZE + SLACK
        assert SIZE <= went < SIZE + 6 * MB
        assert not partials(tmp_path)


@pytest.mark.parametrize("up", [False, True], ids=["download", "upload"])
async def test_a_transfer_that_breaks_again_and_again_ends_as_long_as_it_gets_on(tmp_path: Path, up: bool) -> None:
    async with agent(tmp_path):
        if not up:
            await given(tmp_path)
        (tmp_path / "file").write_bytes(BYTES)
        every = 1_300_000
        proxy = CuttingProxy(tmp_path / "agent", cuts=tuple(range(every, SIZE, every)), up=up)
        async with through(tmp_path, proxy, patience=0.001) as client:
            await moved(client, tmp_path, up=up)
        assert proxy.passed < SIZE + SLACK


async def test_another_process_goes_on_with_a_download_and_with_an_upload(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BYTES)
    for up in (True, False):
        async with agent(tmp_path):
            never = CuttingProxy(tmp_path / "agent", cuts=(4 * MB, *[4 * MB + 1] * 20), up=up)
            async with through(tmp_path, never, patience=0.001) as client:
                with pytest.raises(Unreachable):
                    await moved(client, tmp_path, up=up)
        async with agent(tmp_path):  # started again
            rest = CuttingProxy(tmp_path / "agent", up=up)
            async with through(tmp_path, rest) as client:
                assert await moved(client, tmp_path, up=up) < 2 * MB + SLACK
            assert rest.passed < 2 * MB + 2 * SLACK


async def test_a_byte_that_is_flipped_on_its_way_is_found(tmp_path: Path) -> None:
    async with agent(tmp_path):
        await given(tmp_path)
        blobs = BlobFolder(tmp_path / "blobs")
        once = CuttingProxy(tmp_path / "agent", cuts=(2 * MB,), flips=(MB,))
        async with through(tmp_path, once) as client:
            assert SIZE < await client.open(DIGEST, SIZE, blobs) <= 2 * SIZE
        blobs.remove(DIGEST)
        always = CuttingProxy(tmp_path / "agent", flips=tuple(range(MB, 100 * MB, MB)))
        async with through(tmp_path, always) as client:
            with pytest.raises(Misbehaved, match="other than the one that it had committed to"):
                await client.open(DIGEST, SIZE, blobs)
        assert list((tmp_path / "blobs").iterdir()) == []


async def test_a_byte_that_is_flipped_in_an_upload_is_found_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BYTES)
    async with agent(tmp_path):
        proxy = CuttingProxy(tmp_path / "agent", cuts=(2 * MB,), up=True, flips=(MB,))
        async with through(tmp_path, proxy) as client:
            await client.upload(tmp_path / "file", DIGEST)  # all of it goes again
        assert proxy.passed > 2 * SIZE - SLACK
        (tmp_path / "other").write_bytes(BYTES[:-1] + b"?")
        async with ProviderClient(UnixEndpoint(tmp_path / "agent"), word="v" * 16) as client:
            with pytest.raises(Refused, match="the bytes have digest"):
                await client.upload(tmp_path / "other", DIGEST)
    assert not partials(tmp_path)


@pytest.mark.parametrize(
    "left", [b"?" * MB, BYTES[: SIZE - 9] + b"?", BYTES + b"more"], ids=["garbage", "nearly all", "too much"]
)
async def test_nobody_is_blamed_for_what_the_own_disk_did_to_a_part(tmp_path: Path, left: bytes) -> None:
    async with agent(tmp_path):
        await given(tmp_path)
        (tmp_path / "blobs").mkdir()
        (tmp_path / "blobs" / f"{PARTIAL}{DIGEST}").write_bytes(left)
        # Once more, what comes is broken on the way: only what came twice from its beginning would be told of.
        proxy = CuttingProxy(tmp_path / "agent", flips=(SIZE,))
        async with through(tmp_path, proxy) as client:
            await client.open(DIGEST, SIZE, BlobFolder(tmp_path / "blobs"))
        assert BlobFolder(tmp_path / "blobs").has(DIGEST)


async def test_two_that_fetch_one_checkpoint_at_a_time_both_get_it(tmp_path: Path) -> None:
    async with agent(tmp_path):
        await given(tmp_path)
        blobs = BlobFolder(tmp_path / "blobs")
        async with through(tmp_path, CuttingProxy(tmp_path / "agent")) as client:
            await asyncio.gather(*(client.open(DIGEST, SIZE, blobs) for _ in range(3)))
        assert [path.name for path in (tmp_path / "blobs").iterdir()] == [DIGEST]


async def test_a_small_checkpoint_goes_where_every_other_connection_breaks_and_none_is_used_twice(
    tmp_path: Path,
) -> None:
    (tmp_path / "small").write_bytes(b"small")
    count = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        asked = await reader.readuntil(b"\r\n\r\n")
        if count % 2:
            if asked.startswith(b"PUT"):
                writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(converse, tmp_path / "odd")
    async with ProviderClient(UnixEndpoint(tmp_path / "odd"), patience=0.1) as client:
        assert await client.upload(tmp_path / "small", hashlib.sha256(b"small").hexdigest()) >= 5
    server.close()


def without_ranges(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in (b"range", b"if-range")]
        await app(scope, receive, send)

    return serve


def with_wrong_ranges(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 206:
                message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-range"]
            await send(message)

        await app(scope, receive, changed)

    return serve


@pytest.mark.parametrize("around", [without_ranges, with_wrong_ranges])
async def test_a_provider_that_knows_no_parts_sends_all_of_it(
    tmp_path: Path, around: Callable[[ASGIApp], ASGIApp]
) -> None:
    async with agent(tmp_path, around):
        await given(tmp_path)
        async with through(tmp_path, CuttingProxy(tmp_path / "agent", cuts=(2 * MB,))) as client:
            await client.open(DIGEST, SIZE, BlobFolder(tmp_path / "blobs"))
        assert BlobFolder(tmp_path / "blobs").has(DIGEST)


async def broken_upload(folder: Path, part: int = 4 * MB) -> None:
    """Leave the first bytes of an upload with the agent."""
    (folder / "file").write_bytes(BYTES)
    never = CuttingProxy(folder / "agent", cuts=(part, *[part + 1] * 20), up=True)
    async with through(folder, never, patience=0.001) as client:
        with pytest.raises(Unreachable):
            await client.upload(folder / "file", DIGEST)
    for _ in range(100):
        if partials(folder):
            break
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("limits", "word"),
    [(Limits(bytes=SIZE + MB), "v" * 16), (Limits(client_bytes=SIZE + MB), WORD)],
    ids=["of all clients", "of one client"],
)
async def test_parts_take_room_that_checkpoints_get_when_they_need_it(
    tmp_path: Path, limits: Limits, word: str
) -> None:
    other = random.Random(2).randbytes(SIZE)
    (tmp_path / "other").write_bytes(other)
    async with agent(tmp_path, limits=limits):
        await broken_upload(tmp_path)
        assert partials(tmp_path)
        async with ProviderClient(UnixEndpoint(tmp_path / "agent"), word=word) as client:
            await client.upload(tmp_path / "other", hashlib.sha256(other).hexdigest())
        assert not partials(tmp_path)
        with pytest.raises(Refused, match="as many bytes"):
            await broken_upload(tmp_path)
        assert not partials(tmp_path)


async def test_parts_that_nobody_goes_on_with_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"small")
    async with agent(tmp_path, limits=Limits(partial_seconds=3600)):
        await broken_upload(tmp_path)
        async with ProviderClient(UnixEndpoint(tmp_path / "agent"), word="v" * 16) as client:
            await client.upload(tmp_path / "small", hashlib.sha256(b"small").hexdigest())
            (part,) = partials(tmp_path)
            os.utime(part, (0, 0))
            (tmp_path / "small").write_bytes(b"other")
            await client.upload(tmp_path / "small", hashlib.sha256(b"other").hexdigest())
        assert not partials(tmp_path)
