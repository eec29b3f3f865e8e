"""Each way in which a provider comes to be there holds to the contract of all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auditor.job.endpoint import HttpsEndpoint, RegisteredEndpoint, parse_endpoint
from auditor.providers.client import ProviderClient
from auditor.providers.errors import Unreachable
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers
from tests.command import Auditor
from tests.contracts.provider import ProviderContract
from tests.contracts.tls import certificate, needs_openssl, proxy
from tests.providers.remote import remote_agent
from tests.providers.test_agent_state import agent

pytestmark = pytest.mark.slow


class TestLocal(ProviderContract):
    @asynccontextmanager
    async def launch(self, folder: Path) -> AsyncIterator[Launch]:
        yield Launch("a", parse_endpoint("local:cpu"), folder / "agent")


class TestStanding(ProviderContract):
    @asynccontextmanager
    async def launch(self, folder: Path) -> AsyncIterator[Launch]:
        path = folder / "s"
        with agent(Auditor(folder, folder / "home"), "--socket", str(path)):
            yield Launch("a", parse_endpoint(f"unix:{path}"), folder / "unused")


@needs_openssl
class TestOverTLS(ProviderContract):
    @pytest.fixture(autouse=True)
    def shown(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The certificate of the proxy, which this client trusts."""
        monkeypatch.setenv("SSL_CERT_FILE", str(path := certificate(tmp_path)))
        return path

    @asynccontextmanager
    async def launch(self, folder: Path) -> AsyncIterator[Launch]:
        path = folder / "s"
        with agent(Auditor(folder, folder / "home"), "--socket", str(path)):
            async with proxy(path, folder / "certificate.pem") as address:
                yield Launch("a", parse_endpoint(address), folder / "unused")


class TestListening(ProviderContract):
    @asynccontextmanager
    async def launch(self, folder: Path) -> AsyncIterator[Launch]:
        with remote_agent(Auditor(folder, folder / "home"), "a", "127.0.0.2") as reached:
            yield Launch("a", reached.where, folder / "unused")


@needs_openssl
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async with proxy(tmp_path / "nobody", certificate(tmp_path)) as address:
        endpoint = parse_endpoint(address)
        assert isinstance(endpoint, HttpsEndpoint)
        async with ProviderClient(endpoint, patience=1) as client:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await client.identity()


async def test_how_a_process_ended_that_we_started_is_known(tmp_path: Path) -> None:
    launch = Launch("a", parse_endpoint("local:cpu"), tmp_path / "agent")
    async with Launchers([launch], tmp_path) as launchers:
        assert launchers.why_ended("a") is None
    assert "its process was killed by SIGTERM" in str(launchers.why_ended("a"))


async def test_a_name_that_was_not_looked_up_has_no_address(tmp_path: Path) -> None:
    async with Launchers([Launch("a", RegisteredEndpoint("a"), tmp_path)], tmp_path) as launchers:
        with pytest.raises(Unreachable, match="'a' was not looked up"):
            launchers.address("a")
