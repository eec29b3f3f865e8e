"""An agent that is killed and started again keeps its checkpoints and finishes its run."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor

pytestmark = pytest.mark.slow


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose sockets have short paths."""
    folder = Path(tempfile.mkdtemp(prefix="again-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(auditor: Auditor, folder: Path) -> subprocess.Popen[str]:
    process = auditor.start(
        *("agent", "--socket", str(folder / "s"), "--folder", str(folder / "state"), "--threads", "1"), descends=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "listens on" in said, said + process.stderr.read()
    return process


def until_it_trains(process: subprocess.Popen[str], provider: str, sub_run: int | None) -> Iterator[dict[str, Any]]:
    """The events of a running audit up to the first that says how far a provider is."""
    assert process.stdout is not None
    for line in process.stdout:
        read = json.loads(line)
        yield read
        if read["event"] == "progressed" and (read["provider"], read["sub_run"]) == (provider, sub_run):
            return


@pytest.mark.parametrize(
    ("remote", "sub_run", "sub_run_steps", "randomness"),
    [
        ("a", None, 40, "client"),
        ("b", 0, 160, "provider"),
    ],  # without shared seeds nothing is rehearsed, which takes long
    ids=["primary", "replica"],
)
def test_a_killed_agent_that_is_started_again_finishes_its_run(
    auditor: Auditor, remote: str, sub_run: int | None, sub_run_steps: int, randomness: str
) -> None:
    with short_folder() as folder:
        agent = started(auditor, folder)
        job = auditor.job(
            providers=["a", "b", "c"],
            endpoints={remote: f"unix:{folder}/s"},
            steps=160,
            sub_run_steps=sub_run_steps,
            audit=f'fixed_selection = [0]\nrandomness = "{randomness}"',
        )
        process = auditor.start("run", job, "--json")
        seen = list(until_it_trains(process, remote, sub_run))
        agent.send_signal(signal.SIGKILL)
        agent.communicate()
        agent = started(auditor, folder)
        try:
            stdout, narration = process.communicate()
        finally:
            agent.kill()
            agent.communicate()
    events = seen + [json.loads(line) for line in stdout.splitlines()]
    assert not {"provider_lost", "replica_failed"} & {event["event"] for event in events}, narration
    assert {event["provider"] for event in events if event["event"] == "replica_returned"} == {"b", "c"}
    assert process.returncode == 0, narration
    reached = [event["boundary"] for event in events if event["event"] == "committed"]
    assert reached == list(range(len(reached)))
