"""A run that is damaged, or that a newer version wrote, is shown as that and hurts no other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.audit.record.events import AuditFinished, Committed, RunStarted
from auditor.audit.record.findings import Cost, ProviderVerdict
from auditor.job import parse_job
from auditor.report.overview import summarize
from auditor.store import Store
from tests.command import Auditor, job_text

STARTED = RunStarted("small", "a", ("b", "c"), 30, 10, 3, "ratio", "it fits", ())
COMMITTED = Committed(1, 10, "0" * 64, 0.5)
FINISHED = AuditFinished(
    "clean",
    tuple(
        ProviderVerdict(name, "consistent", p_value=0.5, ratio=1.0, sub_runs_checked=2, reasons=()) for name in "abc"
    ),
    Cost(training_steps=30, extra_steps=40, overhead=1.3, seconds=9.0, bytes=100, dollars=None),
)


@pytest.fixture
def runs(auditor: Auditor) -> Iterator[tuple[str, str]]:
    """A run that is well, and one to damage."""
    with Store(auditor.home) as store:
        kept = []
        for name in ("well", "bad"):
            run = store.create_run(name, parse_job(job_text()).model_dump_json(), "job.toml").id
            for event in (STARTED, COMMITTED, FINISHED):
                store.append(run, event.kind, event.payload())
            kept.append(run)
        yield kept[0], kept[1]


def change(auditor: Auditor, run: str, seq: int, column: str, value: str | bytes) -> None:
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        cast = "CAST(? AS TEXT)"
        database.execute(f"UPDATE events SET {column} = {cast} WHERE run = ? AND seq = ?", (value, run, seq))
    database.close()


def assert_only_this_is_damaged(auditor: Auditor, runs: tuple[str, str], reason: str) -> None:
    listed = auditor.here("runs", "--json")
    assert listed.code == 0, listed.stderr
    rows = {row["run"]: row for row in listed.events}
    assert [rows[run]["status"] for run in runs] == ["clean", "damaged"]
    assert reason in rows[runs[1]]["damage"]
    table = auditor.here("runs")
    assert table.code == 0
    assert f"{runs[1]} cannot be read:" in table.stderr
    assert auditor.here("show", runs[0]).code == 0
    for command in ("show", "resume"):
        result = auditor.here(command, runs[1])
        assert (result.code, result.stdout) == (2, ""), result
        assert result.stderr.startswith(f"error: run {runs[1]} is damaged, or a newer version"), result.stderr
        assert result.stderr.count("\n") == 1
    assert auditor.here("provider", "list").code == 0
    with Store(auditor.home) as store:
        assert len(store.runs()) == 2


@pytest.mark.parametrize(
    ("seq", "column", "value", "reason"),
    [
        (2, "payload", "{", "event 2 is not valid JSON"),
        (2, "payload", "[]", "event 2 is not a JSON object"),
        (2, "payload", "[" * 100_000, "event 2 is not valid JSON"),
        (2, "payload", '{"boundary": NaN}', "event 2 is not valid JSON"),
        (2, "payload", b"\xff\xfe", "event 2 is not valid JSON"),
        (2, "payload", "{}", "event 2, committed, is invalid in boundary: field required"),
        (
            2,
            "payload",
            '{"boundary": "x", "step": 1, "digest": "", "loss": null}',
            "is invalid in boundary: input should be",
        ),
        (2, "kind", "dreamt", "event 2 is of an unknown kind, 'dreamt'"),
        (2, "kind", b"\xff", "event 2 is of an unknown kind"),
        (2, "kind", "replica_returned", "event 2, replica_returned, is invalid in"),
        (2, "time", "yesterday", "event 2, committed, does not fit those before it"),
        (2, "time", "2026-01-01T00:00:00", "event 2, committed, does not fit those before it"),
        (3, "payload", '{"outcome": "fine", "providers": [], "cost": {}}', "event 3, verdict, is invalid in outcome"),
        (3, "payload", '{"outcome": "clean", "providers": [{}], "cost": {}}', "is invalid in providers.0.name: field"),
    ],
    ids=range(14),
)
def test_one_damaged_event(
    auditor: Auditor, runs: tuple[str, str], seq: int, column: str, value: str | bytes, reason: str
) -> None:
    change(auditor, runs[1], seq, column, value)
    assert_only_this_is_damaged(auditor, runs, reason)


@pytest.mark.parametrize("job", ["", "{}", "[" * 5000], ids=range(3))
def test_a_damaged_job(auditor: Auditor, runs: tuple[str, str], job: str) -> None:
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        database.execute("UPDATE runs SET job = ? WHERE id = ?", (job, runs[1]))
    database.close()
    assert [row["status"] for row in auditor.here("runs", "--json").events] == ["clean", "clean"]
    result = auditor.here("resume", runs[1])
    assert result.code == 2
    assert "the stored job cannot be read" in result.stderr
    assert auditor.here("show", runs[1]).code == 0


def test_no_change_of_a_field_ends_in_a_traceback(auditor: Auditor, runs: tuple[str, str]) -> None:
    wrong: list[Any] = [None, -1, "x", [None], {}]
    for seq, event in enumerate((STARTED, COMMITTED, FINISHED), start=1):
        good = json.loads(json.dumps(event.payload()))
        cost = [{**good, "cost": {**good["cost"], key: "x"}} for key in good.get("cost", ())]
        for changed in [*({**good, key: value} for key in good for value in wrong), *cost]:
            change(auditor, runs[1], seq, "payload", json.dumps(changed))
            result = auditor.here("show", runs[1])
            assert result.code in (0, 2), (changed, result)
            with Store(auditor.home) as store:
                assert summarize(store, store.find_run(runs[1])).status in ("clean", "stopped", "damaged")
        change(auditor, runs[1], seq, "payload", json.dumps(good))


def test_a_page_of_the_database_that_was_overwritten(auditor: Auditor, runs: tuple[str, str]) -> None:
    with Store(auditor.home) as store:
        for _ in range(300):
            store.append(runs[1], "committed", COMMITTED.payload())
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    path = auditor.home / "auditor.db"
    content = bytearray(path.read_bytes())
    place = content.index(b'"digest":"000', len(content) // 2)  # of one of many pages of this run alone
    page = place - place % 4096
    content[page : page + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    assert_only_this_is_damaged(auditor, runs, "its events cannot be read")


@pytest.mark.parametrize("size", [1, 99, 100, 2048, 4096, 8192])
def test_a_truncated_database(auditor: Auditor, runs: tuple[str, str], size: int) -> None:
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    cut(auditor.home, size)
    for command in (("runs",), ("show", runs[0]), ("run", auditor.job()), ("provider", "list")):
        result = auditor.here(*command)
        assert (result.code, result.stdout) == (2, ""), result
        assert "is damaged, or is not auditor's" in result.stderr
        assert result.stderr.count("\n") == 1


def cut(home: Path, size: int) -> None:
    content = (home / "auditor.db").read_bytes()[:size]
    for path in home.glob("auditor.db*"):
        path.unlink()
    (home / "auditor.db").write_bytes(content)


def test_an_emptied_database_is_not_taken_for_a_new_one(auditor: Auditor, runs: tuple[str, str]) -> None:
    with Store(auditor.home) as store:
        store.blobs(runs[0]).add([b"x"])
    cut(auditor.home, 0)
    result = auditor.here("runs")
    assert result.code == 2
    assert "is empty although files of runs exist" in result.stderr
