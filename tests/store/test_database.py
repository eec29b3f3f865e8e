"""Runs and events survive, in order, and several processes agree on who writes."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.store import Store, StoreError, UnknownRun
from auditor.store.home import home

READER = """
import sys
from pathlib import Path
from auditor.store import Store
store, last = Store(Path(sys.argv[1])), 0
while last < int(sys.argv[3]):
    for event in store.events(sys.argv[2], after=last):
        assert event.seq == last + 1 and event.payload == {"number": last}, event
        last = event.seq
        if last == 1:
            print("reading", flush=True)
print(last)
"""

HOLDER = """
import sys
from pathlib import Path
from auditor.store import Store
with Store(Path(sys.argv[1])) as store, store.lock(sys.argv[2]):
    print("locked", flush=True)
    sys.stdin.read()
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from auditor.store import Store
store = Store(Path(sys.argv[1]))
for number in range(5):
    store.append(sys.argv[2], "counted", {"number": number})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "home") as opened:
        yield opened


def process(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_events_are_numbered_from_one_without_gaps_in_each_run(store: Store) -> None:
    one, other = (store.create_run(name, "{}", "job.toml").id for name in ("one", "other"))
    assert [store.append(one, "a", {"x": index}).seq for index in range(3)] == [1, 2, 3]
    assert store.append(other, "a", {}).seq == 1
    assert [(event.seq, event.payload) for event in store.events(one, after=1)] == [(2, {"x": 1}), (3, {"x": 2})]


def test_runs_and_events_are_the_same_after_reopening(store: Store) -> None:
    run = store.create_run("Müller & Söhne", '{"seed": 1}', "job.toml")
    events = [store.append(run.id, "kind", {"text": "é\ud800", "list": [1, 2.5, None]}) for _ in range(3)]
    store.close()
    with Store(store.folder) as again:
        assert again.find_run(run.id) == run
        assert again.events(run.id) == events


def test_what_was_appended_survives_a_kill(store: Store) -> None:
    run = store.create_run("killed", "{}", "job.toml").id
    child = process(KILLED, str(store.folder), run)
    child.communicate(timeout=60)
    assert child.returncode == -9
    assert [event.payload["number"] for event in store.events(run)] == [0, 1, 2, 3, 4]


def test_another_process_reads_while_one_writes(store: Store) -> None:
    run = store.create_run("followed", "{}", "job.toml").id
    child = process(READER, str(store.folder), run, "60")
    store.append(run, "counted", {"number": 0})
    assert first_line(child) == "reading"
    for number in range(1, 60):
        store.append(run, "counted", {"number": number})
    output, _ = child.communicate(timeout=60)
    assert (child.returncode, output.strip()) == (0, "60")


def test_not_a_number_is_refused_before_anything_is_written(store: Store) -> None:
    run = store.create_run("a", "{}", "job.toml").id
    with pytest.raises(ValueError, match="JSON compliant"):
        store.append(run, "kind", {"x": float("nan")})
    assert store.events(run) == []
    assert store.append(run, "kind", {"x": 1.0}).seq == 1


def test_an_event_of_no_run_is_refused(store: Store) -> None:
    with pytest.raises(StoreError):
        store.append("nobody", "kind", {})
    assert store.events("nobody") == []


def test_two_runs_have_different_secrets_and_ids(store: Store) -> None:
    one, other = (store.create_run("same name", "{}", "job.toml") for _ in range(2))
    assert len(one.secret) == len(other.secret) == 32
    assert one.secret != other.secret
    assert one.id != other.id
    assert one.id.startswith("same-name-")


@pytest.mark.parametrize("name", ["../../x", "…", "a/b\\c", "A" * 500])
def test_the_folder_of_a_run_lies_in_the_store_whatever_its_name(store: Store, name: str) -> None:
    run = store.create_run(name, "{}", "job.toml").id
    assert store.run_folder(run).resolve().parent == (store.folder / "runs").resolve()
    assert len(run) < 40


def test_the_secrets_can_be_read_by_their_owner_only(store: Store) -> None:
    assert stat.S_IMODE((store.folder / "auditor.db").stat().st_mode) == 0o600


def test_runs_are_listed_newest_first_and_last_is_the_newest(store: Store) -> None:
    ids = [store.create_run(f"run {index}", "{}", "job.toml").id for index in range(3)]
    assert [run.id for run in store.runs()] == ids[::-1]
    assert store.find_run("last").id == ids[-1]


def test_a_run_is_found_by_the_start_of_its_id(store: Store) -> None:
    clean, poisoned = (store.create_run(name, "{}", "job.toml") for name in ("clean", "poisoned"))
    assert store.find_run("cl") == clean
    assert store.find_run(poisoned.id) == poisoned


def test_an_id_that_is_the_start_of_several_is_ambiguous(store: Store) -> None:
    for _ in range(4):
        store.create_run("same", "{}", "job.toml")
    with pytest.raises(UnknownRun, match=r"could be any of same-.* and others; give more"):
        store.find_run("sa")


@pytest.mark.parametrize("text", ["nothing", "last", "%", "_"])
def test_an_id_of_no_run_is_unknown(store: Store, text: str) -> None:
    if text != "last":
        store.create_run("a", "{}", "job.toml")
    with pytest.raises(UnknownRun, match="there is no run"):
        store.find_run(text)


def test_a_deleted_run_takes_its_events_and_files_along(store: Store) -> None:
    run, kept = (store.create_run(name, "{}", "job.toml").id for name in ("gone", "kept"))
    for one in (run, kept):
        store.append(one, "kind", {})
        store.blobs(one).add([b"x"])
    store.delete_run(run)
    assert [record.id for record in store.runs()] == [kept]
    assert store.events(run) == []
    assert not store.run_folder(run).exists()
    assert len(store.events(kept)) == 1
    assert store.run_folder(kept).is_dir()


def test_only_one_process_executes_a_run(store: Store) -> None:
    run = store.create_run("locked", "{}", "job.toml").id
    assert not store.is_running(run)
    holder = process(HOLDER, str(store.folder), run)
    assert first_line(holder) == "locked"
    assert store.is_running(run)
    with pytest.raises(StoreError, match="another process is executing"), store.lock(run):
        pytest.fail("two processes hold the lock")
    other = store.create_run("free", "{}", "job.toml").id
    with store.lock(other):
        assert store.is_running(other)
    holder.kill()
    holder.communicate()
    assert not store.is_running(run)
    with store.lock(run):
        assert store.is_running(run)


def test_a_store_of_a_newer_version_is_left_alone(store: Store) -> None:
    run = store.create_run("future", "{}", "job.toml")
    store.close()
    connection = sqlite3.connect(store.folder / "auditor.db")
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"newer version of auditor made the store .* \(layout 99.*Update auditor"):
        Store(store.folder)
    assert connection.execute("SELECT id FROM runs").fetchall() == [(run.id,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "auditor.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"damaged, or is not auditor.s.*set AUDITOR_HOME"):
        Store(tmp_path)


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "file")


def test_a_store_that_cannot_grow_says_so_and_keeps_what_it_has(store: Store) -> None:
    run = store.create_run("full", "{}", "job.toml").id
    store.append(run, "kind", {"x": 1})
    blocker = sqlite3.connect(store.folder / "auditor.db")
    blocker.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    blocker.close()
    with pytest.raises(StoreError, match=r"cannot be written: disk is full.*auditor resume"):
        store.append(run, "kind", {"x": 2})
    assert [event.payload for event in store.events(run)] == [{"x": 1}]


def test_auditor_home_decides_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITOR_HOME", str(tmp_path / "chosen"))
    assert home() == tmp_path / "chosen"
    with Store() as store:
        assert store.folder == tmp_path / "chosen"
    monkeypatch.delenv("AUDITOR_HOME")
    assert home().name == "auditor"
