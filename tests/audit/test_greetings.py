"""A provider that could not be heard at first, because this process was busy, is greeted once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.audit.connections import Connections
from auditor.audit.record.events import ProviderLost, ProviderReady
from auditor.audit.selection import Selection
from auditor.job import parse_job
from tests.command import Auditor, job_text
from tests.providers.test_agent_state import agent


@pytest.mark.slow
async def test_a_provider_that_answers_the_second_greeting_is_ready(tmp_path: Path) -> None:
    names = ("a", "b")
    endpoints = {name: f"unix:{tmp_path / name}" for name in names}
    job = parse_job(job_text(providers=names, endpoints=endpoints, audit="stall_seconds = 1"))
    selection = Selection(job, b"secret")
    async with Connections(job, selection, tmp_path / "run", tmp_path, tmp_path, {}) as connections:
        await connections.start()
        assert [type(connection.greeting) for connection in connections] == [ProviderLost, ProviderLost]
        with agent(Auditor(tmp_path, tmp_path / "home"), "--socket", str(tmp_path / "a")):
            await connections.greet_again()
        assert [type(connection.greeting) for connection in connections] == [ProviderReady, ProviderLost]
