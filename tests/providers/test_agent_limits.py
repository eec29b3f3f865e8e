"""What one client, or one machine, may ask of an agent, and how slowly."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from auditor.cli.agent import agent
from auditor.providers.agent import bounded_connections
from auditor.providers.agent.app import make_app
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.gate import Rate, machine
from auditor.providers.agent.limits import Full, Limits
from auditor.providers.agent.settings import AgentSettings
from tests.command import ROOT
from tests.providers.test_agent_and_its_clients import START, client, of, order

BLOBS = [bytes([number]) * 1000 for number in range(3)]
DIGESTS = [hashlib.sha256(blob).hexdigest() for blob in BLOBS]


@asynccontextmanager
async def served(folder: Path, limits: Limits) -> AsyncIterator[int]:
    """The port of an agent with these limits."""
    settings = AgentSettings("a", "cpu", 1, folder / "agent", folder / "downloads", limits=limits)
    bound = socket.create_server(("127.0.0.1", 0))
    http = bounded_connections.bounded_connections(limits)
    server = uvicorn.Server(uvicorn.Config(make_app(settings), http=http, lifespan="off", log_level="error"))
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield bound.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def test_a_checkpoint_that_the_disk_does_not_take_is_refused_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    clients = Clients(tmp_path, Limits())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as with a quota
    try:
        with pytest.raises(Full, match="cannot store a checkpoint: File too large"):
            clients.keep("w" * 16, [bytes(100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert clients.keep("w" * 16, [bytes(100_000)])


async def test_what_one_client_keeps_and_runs_leaves_room_for_others(tmp_path: Path) -> None:
    limits = Limits(client_bytes=1500, client_runs=1)
    start = hashlib.sha256(START).hexdigest()
    async with client(tmp_path, limits=limits) as first, of(first._transport, "v" * 16) as second:
        for digest, blob, code in zip(DIGESTS, BLOBS, (201, 507, 507), strict=True):
            answer = await first.put(f"/blobs/{digest}", content=blob)
            assert (answer.status_code, "for this client" in answer.text) == (code, code == 507)
        assert (await second.put(f"/blobs/{DIGESTS[1]}", content=BLOBS[1])).status_code == 201
        for asking in (first, second):
            assert (await asking.put(f"/blobs/{start}", content=START)).status_code == 201
            codes = [(await asking.post("/runs", json=order(run))).status_code for run in ("r", "r", "s")]
            assert codes == [200, 200, 507]


async def test_a_machine_that_asks_too_often_is_asked_to_wait(tmp_path: Path) -> None:
    async with client(tmp_path, limits=Limits(requests_per_minute=3)) as asking:
        answers = [await asking.get("/identity") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"


def test_each_machine_has_a_rate_of_its_own() -> None:
    rate = Rate(2)
    assert [rate.admits(peer) for peer in ("a", "a", "a", "b")] == [True, True, False, True]
    assert machine(("2001:db8::1", 1)) == machine(("2001:db8::2", 1)) != machine(("2001:db8:0:1::1", 1))
    assert machine(None) == ""


async def test_nobody_gets_in_without_the_token_whatever_is_asked(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"secret").digest()
    async with client(tmp_path, token_digest=digest) as asking:
        questions = [("GET", "/identity"), ("PUT", f"/blobs/{DIGESTS[0]}"), ("GET", "/nothing"), ("POST", "/runs")]
        given = [None, "Bearer wrong", "Basic secret", "secret", "Bearer ", "Bearer secre\u00e9"]
        for method, path in questions:
            for header in given:
                headers = {} if header is None else {b"authorization": header.encode("latin-1")}
                answer = await asking.request(method, path, headers=headers)
                assert answer.status_code == 401, (method, path, header)
        assert (await asking.get("/identity", headers={"authorization": "bearer secret"})).status_code == 200


async def test_one_machine_has_so_many_connections_and_not_more(tmp_path: Path) -> None:
    async with served(tmp_path, Limits(connections=2)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/identity HTTP/1.1\r\nhost: a\r\n\r\n")
        with suppress(ConnectionError):
            assert not await reader.read(), "it is cut off unanswered"
        for _, other in held:
            other.close()
            await other.wait_closed()
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as asking:
            while True:  # until the agent has noticed that they are gone
                try:
                    assert (await asking.get(f"http://127.0.0.1:{port}/v1/identity")).status_code == 200
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize("begun", [b"", b"GET /v1/ident", b"GET /v1/identity HTTP/1.1\r\nhost: a\r\n\r\n"])
async def test_a_request_that_does_not_come_is_not_waited_for(tmp_path: Path, begun: bytes) -> None:
    async with served(tmp_path, Limits(header_seconds=0.2)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        if begun.endswith(b"\r\n\r\n"):
            await reader.readuntil(b"}")  # the answer; nothing follows it
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="this system does not say who is connected")
async def test_a_client_that_does_not_take_its_answer_is_cut_off(tmp_path: Path) -> None:
    blob = bytes(64 << 20)  # more than any system keeps on its way
    digest = hashlib.sha256(blob).hexdigest()
    async with served(tmp_path, Limits(stall_seconds=0.2)) as port:
        head = {"x-auditor-client": "w" * 16}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", headers=head) as asking:
            assert (await asking.put(f"/blobs/{digest}", content=blob)).status_code == 201
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET /v1/blobs/{digest} HTTP/1.1\r\nhost: a\r\nx-auditor-client: {'w' * 16}\r\n\r\n".encode())
            while True:  # until the agent has lost the connection, and so goes without waiting for it
                peers = [peer for peer in await _peers(port) if peer == writer.get_extra_info("sockname")[1]]
                if not peers:
                    break
                await asyncio.sleep(0.05)
            with suppress(ConnectionError):
                assert len(await reader.read()) < len(blob)


async def _peers(port: int) -> list[int]:
    """The ports from which connections to a port stand, as the system says."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [(line[1].partition(":")[2], line[2].partition(":")[2], line[3]) for line in lines]
    return [int(far, 16) for near, far, state in ends if int(near, 16) == port and state == "01"]


def test_the_security_page_has_every_limit_that_an_option_changes() -> None:
    rows = (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    limits = {
        name: parameter.default
        for name, parameter in inspect.signature(agent).parameters.items()
        if type(parameter.default) in (int, float) and name not in ("threads", "forget_hours")
    }
    assert len(limits) >= 9
    for name, default in limits.items():
        (row,) = (row for row in rows if f"`--{name.replace('_', '-')}`" in row)
        assert f"{default:,}" in row, row


async def test_what_would_be_too_much_is_refused_before_it_comes(tmp_path: Path) -> None:
    pulled: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        pulled.append(1)
        yield b"x"

    async with client(tmp_path, limits=Limits(bytes=10**9)) as asking:
        for declared, code in (("1000000000000", 507), ("9" * 19, 507)):
            answer = await asking.put(f"/blobs/{DIGESTS[0]}", content=body(), headers={"content-length": declared})
            assert (answer.status_code, pulled) == (code, [])
        assert (await asking.put(f"/blobs/{DIGESTS[0]}", content=BLOBS[0])).status_code == 201
