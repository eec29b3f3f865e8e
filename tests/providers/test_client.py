"""The client of the provider protocol, against a socket that the test holds the other end of."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from auditor.job.endpoint import HttpsEndpoint, UnixEndpoint
from auditor.providers.client import ProviderClient
from auditor.providers.errors import Unreachable
from auditor.providers.late_wakeups import overlook_late_wakeups


async def test_an_answer_that_comes_as_the_question_is_cancelled_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(overlook_late_wakeups)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "provider.sock"))
        listening.listen()
        listening.setblocking(False)
        async with ProviderClient(UnixEndpoint(tmp_path / "provider.sock")) as client:
            asking = asyncio.create_task(client.identity())
            connected, _ = await loop.sock_accept(listening)
            with connected:
                await loop.sock_recv(connected, 1 << 16)
                for _ in range(20):  # turns of the loop, until the client waits for the answer
                    await asyncio.sleep(0)
                # The next turn first cancels, and then handles the sockets that have become readable.
                loop.call_soon(asking.cancel)
                connected.send(b"HTTP/1.1 200 OK\r\n")
                with pytest.raises(asyncio.CancelledError):
                    await asking
    assert caplog.messages == []


async def test_other_errors_are_still_reported(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(overlook_late_wakeups)

    def fails() -> None:
        raise asyncio.InvalidStateError("something else")

    loop.call_soon(fails)
    await asyncio.sleep(0)
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_certificates_are_read_only_where_something_is_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    async with ProviderClient(UnixEndpoint(tmp_path / "provider.sock"), patience=0.1) as client:
        with pytest.raises(Unreachable):
            await client.identity()
    with pytest.raises(FileNotFoundError):
        ProviderClient(HttpsEndpoint("https://provider.example"))
