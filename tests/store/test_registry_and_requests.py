"""What the store keeps beside runs and events: providers, requests, and its own layout."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from auditor.store import Store, StoreError
from auditor.store.layout import STEPS, VERSION


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def test_a_provider_is_registered_changed_and_removed(store: Store) -> None:
    first = store.register_provider("aurora", "local:cpu", 2.5)
    changed = store.register_provider("aurora", "https://aurora:8443")
    assert changed.added == first.added
    assert [(one.endpoint, one.price_per_hour) for one in store.providers()] == [("https://aurora:8443", None)]
    assert store.remove_provider("aurora")
    assert not store.remove_provider("aurora")
    assert store.providers() == []


def test_requests_are_seen_by_other_processes_and_withdrawn(store: Store) -> None:
    run = store.create_run("job", "{}", "job.toml")
    store.request(run.id, "pause")
    store.request(run.id, "pause")
    with Store(store.folder) as other:
        assert other.requests(run.id) == {"pause"}
        other.clear_requests(run.id)
    assert store.requests(run.id) == set()


def test_requests_go_with_their_run(store: Store) -> None:
    run = store.create_run("job", "{}", "job.toml")
    store.request(run.id, "cancel")
    store.delete_run(run.id)
    assert store.requests(run.id) == set()
    with pytest.raises(StoreError):
        store.request(run.id, "cancel")


def test_a_store_of_layout_1_keeps_its_runs(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auditor.db")
    connection.executescript(STEPS[0] + "PRAGMA user_version = 1;")
    connection.execute("INSERT INTO runs VALUES ('old-1', '2026-01-01T00:00:00Z', '{}', 'job.toml', x'00')")
    connection.commit()
    connection.close()
    with Store(tmp_path) as store:
        assert [run.id for run in store.runs()] == ["old-1"]
        store.request("old-1", "pause")
        store.register_provider("aurora", "local:cpu")
    with Store(tmp_path) as again:
        assert len(again.providers()) == 1


def test_a_store_from_the_future_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auditor.db")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path)


def test_asking_whether_a_run_is_executed_disturbs_nobody(store: Store) -> None:
    run = store.create_run("job", "{}", "job.toml")
    assert not store.is_running(run.id)
    with store.lock(run.id):
        assert store.is_running(run.id)
        assert store.is_running(run.id)
    assert not store.is_running(run.id)


def test_last_seq_knows_runs_that_are_new_or_gone(store: Store) -> None:
    run = store.create_run("job", "{}", "job.toml")
    assert store.last_seq(run.id) == 0
    store.append(run.id, "run_resumed", {})
    assert store.last_seq(run.id) == 1
    store.delete_run(run.id)
    assert store.last_seq(run.id) is None
