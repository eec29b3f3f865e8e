"""Each way in which a provider comes to be there holds to the contract of all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auditor.job.endpoint import RegisteredEndpoint, parse_endpoint
from auditor.providers.errors import Unreachable
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers
from tests.command import Auditor
from tests.contracts.provider import ProviderContract
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


async def test_how_a_process_ended_that_we_started_is_known(tmp_path: Path) -> None:
    launch = Launch("a", parse_endpoint("local:cpu"), tmp_path / "agent")
    async with Launchers([launch], tmp_path) as launchers:
        assert launchers.why_ended("a") is None
    assert "its process was killed by SIGTERM" in str(launchers.why_ended("a"))


async def test_a_name_that_was_not_looked_up_has_no_address(tmp_path: Path) -> None:
    async with Launchers([Launch("a", RegisteredEndpoint("a"), tmp_path)], tmp_path) as launchers:
        with pytest.raises(Unreachable, match="'a' was not looked up"):
            launchers.address("a")
