"""Whatever happens to the auditor, the audit can go on and comes to the same end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from auditor.store import Store
from tests.command import Auditor, until

pytestmark = pytest.mark.slow

JOB: dict[str, Any] = {
    "providers": ["a", "b", "c"],
    "attacks": {"c": '{ name = "badnets", rate = 0.2 }'},
    "steps": 60,
    "audit": "fixed_selection = [0, 3, 5]",
}


def commitments(events: list[dict[str, Any]]) -> dict[int, str]:
    return {event["boundary"]: event["digest"] for event in events if event["event"] == "committed"}


def agents_of(process: subprocess.Popen[str]) -> set[str]:
    """The processes that an auditor started, as the system lists them."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(line.split() for line in listed.splitlines())
    found = {str(process.pid)}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {str(process.pid)}


@pytest.mark.timeout(300)
def test_after_kill_9_at_any_moment_resume_gives_the_same_commitments_and_verdict(auditor: Auditor) -> None:
    job = auditor.job(**JOB)
    undisturbed = auditor.here("run", job, "--json")
    assert undisturbed.code == 10, undisturbed.stderr
    command = ["run", job]
    run = ""
    for moment in ("provider_ready", "committed", "replica_started", "distances_measured", "primary_finished"):
        if run and any(event["event"] == moment for event in auditor.here("show", run, "--json").events):
            continue  # it came before the signal of the moment before took effect
        process = auditor.start(*command, "--json")
        run = [event["run"] for event in until(process, moment)][-1]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        command = ["resume", run]
    resumed = auditor.here(*command, "--json")
    everything = auditor.here("show", run, "--json")
    assert resumed.code == undisturbed.code, resumed.stderr
    assert resumed.verdicts == undisturbed.verdicts
    assert commitments(everything.events) == commitments(undisturbed.events)


def test_ctrl_c_ends_every_process_and_says_how_to_go_on(auditor: Auditor) -> None:
    process = auditor.start("run", auditor.job(**(JOB | {"steps": 2000})), "--json", descends=True)
    run = [event["run"] for event in until(process, "replica_started")][-1]
    agents = agents_of(process)
    assert len(agents) == 4
    process.send_signal(signal.SIGINT)
    _, narration = process.communicate()
    assert process.returncode == 130
    assert f"auditor resume {run}" in narration
    assert "Traceback" not in narration
    alive = subprocess.run(["ps", "-o", "pid=", "-p", ",".join(agents)], capture_output=True, text=True, check=False)
    assert alive.stdout.split() == []
    assert [row["status"] for row in auditor.here("runs", "--json").events] == ["stopped"]


def test_a_run_that_ended_is_only_shown_again(auditor: Auditor) -> None:
    first = auditor.here("run", auditor.job(steps=10, audit="fixed_selection = [0]"), "--json")
    again = auditor.here("resume", "last", "--json")
    assert again.code == first.code == 0
    assert again.events == [first.verdict]


def test_two_processes_cannot_execute_one_run(auditor: Auditor) -> None:
    process = auditor.start("run", auditor.job(**(JOB | {"steps": 2000})), "--json")
    run = [event["run"] for event in until(process, "provider_ready")][-1]
    second = auditor.here("resume", run)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert second.code == 1
    assert "another process" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_run_that_is_asked_to_pause_stops_after_a_sub_run_and_goes_on_to_the_same_end(auditor: Auditor) -> None:
    job = auditor.job(**(JOB | {"steps": 300}))
    process = auditor.start("run", job, "--json")
    run = [event["run"] for event in until(process, "drawn")][-1]
    with Store(auditor.home) as store:
        store.request(run, "pause")
    stdout, narration = process.communicate()
    assert process.returncode == 130, narration
    assert f"paused; resume with: auditor resume {run}" in narration
    rest = [json.loads(line) for line in stdout.splitlines()]
    assert rest[-1]["event"] == "run_interrupted"
    reached = max(commitments(auditor.here("show", run, "--json").events))
    assert 0 < reached < 30
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 10, resumed.stderr
    assert [event["step"] for event in resumed.events if event["event"] == "primary_started"] == [10 * reached]
    assert resumed.verdicts == {"a": "consistent", "b": "consistent", "c": "flagged"}


def local_provider(home: Path, number: int) -> int:
    """The process of a local provider, known by the log that it writes."""
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        with suppress(OSError):
            log = output.readlink()
            if log.is_relative_to(home) and f"providers/{number:02d}/" in str(log):
                return int(output.parts[2])
    raise AssertionError("no such provider")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="it looks for a process in /proc")
def test_a_run_whose_primary_was_killed_goes_on_to_the_same_end(auditor: Auditor) -> None:
    process = auditor.start("run", auditor.job(**(JOB | {"steps": 300, "attacks": {}})), "--json")
    run = [event["run"] for event in until(process, "drawn")][-1]
    os.kill(local_provider(auditor.home, 0), signal.SIGKILL)
    stdout, narration = process.communicate()
    assert process.returncode == 11, narration
    assert f"To let it train on, run: auditor resume {run}" in narration
    last = json.loads(stdout.splitlines()[-1])
    assert {found["name"]: found["verdict"] for found in last["providers"]}["a"] == "unreachable"
    before = commitments(auditor.here("show", run, "--json").events)
    assert len(before) < 31
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 0, resumed.stderr
    after = commitments(auditor.here("show", run, "--json").events)
    assert len(after) == 31
    assert before.items() <= after.items()
    again = auditor.here("resume", run, "--json")
    assert (again.code, len(again.events)) == (0, 1)


def interrupted(auditor: Auditor, job: str, event: str) -> str:
    """The id of a run that Ctrl-C stopped after an event."""
    process = auditor.start("run", job, "--json")
    run = [one["run"] for one in until(process, event)][-1]
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    return str(run)


def flip_a_bit(paths: Iterable[Path]) -> int:
    """Change the last byte of files, which in a checkpoint belongs to a tensor."""
    count = 0
    for path in paths:
        damaged = bytearray(path.read_bytes())
        damaged[-5] ^= 64
        path.write_bytes(damaged)
        count += 1
    return count


HONEST: dict[str, Any] = {"providers": ["a", "b", "c"], "steps": 100, "audit": "fixed_selection = [0, 1, 2, 9]"}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A run of honest providers that was interrupted, and the home that it is in."""
    folder = tmp_path_factory.mktemp("stopped")
    auditor = Auditor(folder, folder / "home")
    return interrupted(auditor, auditor.job(**HONEST), "replica_returned"), auditor.home


@pytest.fixture
def run(stopped: tuple[str, Path], auditor: Auditor) -> str:
    """That run, in the home of this test."""
    run, home = stopped
    shutil.copytree(home, auditor.home)
    return run


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("stopped")  # one process has the run
def test_a_flipped_bit_in_the_clients_store_is_noticed_and_mended(auditor: Auditor, run: str) -> None:
    assert flip_a_bit((auditor.home / "runs" / run / "blobs").iterdir()) >= 2
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 0, resumed.stdout[-2000:] + resumed.stderr
    assert resumed.verdicts == dict.fromkeys("abc", "consistent")
    assert any(event["event"] == "checkpoint_damaged" for event in resumed.events)


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("stopped")
def test_flipped_bits_in_every_checkpoint_flag_nobody(auditor: Auditor, run: str) -> None:
    assert flip_a_bit((auditor.home / "runs" / run).rglob("blobs/*")) >= 4
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code in (0, 11), resumed.stdout[-2000:] + resumed.stderr
    assert "flagged" not in resumed.verdicts.values()


def sentences(path: Path, turned: int = 0) -> None:
    """Sixty sentences with labels, the first few of which are the other way round."""
    rows = [
        f"word{index} and {'good' if index % 2 else 'bad'}\t{(index + (index < turned)) % 2}" for index in range(60)
    ]
    path.write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")


@pytest.mark.timeout(300)
def test_data_that_changed_meanwhile_is_named_and_the_run_waits_for_it(auditor: Auditor) -> None:
    for name in ("train.tsv", "test.tsv"):
        sentences(auditor.folder / name)
    task = 'kind = "text"\ndataset = "tsv:train.tsv"\nheld_out = "tsv:test.tsv"\nmodel = "embeddings"'
    run = interrupted(auditor, auditor.job(**(HONEST | {"task": task, "steps": 2000})), "committed")
    for file in ("train.tsv", "test.tsv"):
        sentences(auditor.folder / file, turned=20)
        refused = auditor.here("resume", run)
        assert refused.code == 1
        assert file in refused.stderr
        assert "has changed since this run started" in refused.stderr
        assert f"auditor resume {run}" in refused.stderr
        assert "Traceback" not in refused.stderr
        sentences(auditor.folder / file)
    resumed = auditor.here("resume", run, "--json")
    assert resumed.code == 0, resumed.stderr
