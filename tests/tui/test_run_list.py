"""The list of runs is read once, and after that only where something changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from auditor.report.overview import RunSummary, summarize
from auditor.store import Store
from auditor.tui.run_list import RunList
from tests.tui.recorded import beginning, ending, record


def test_what_is_read_from_two_events_is_what_all_events_say(tmp_path: Path) -> None:
    record(tmp_path, [*beginning(), *ending()])
    told: list[list[RunSummary]] = []
    runs = RunList(tmp_path, lambda run, seq: False)
    runs.read(told.append)
    with Store(tmp_path) as store:
        (run,) = store.runs()
        whole = summarize(store, run)
    (summary,) = told[-1]
    assert (summary.status, summary.flagged, summary.step, summary.steps, summary.cost) == (
        whole.status,
        whole.flagged,
        whole.step,
        whole.steps,
        whole.cost,
    )
    runs.close()


def test_runs_that_have_ended_are_told_before_those_that_take_longer(tmp_path: Path) -> None:
    record(tmp_path, [*beginning(), *ending()])
    for number in (1, 2):
        record(tmp_path, beginning(), run=f"stopped-{number}", minutes=number)
    told: list[list[RunSummary]] = []
    runs = RunList(tmp_path, lambda run, seq: False)
    runs.read(told.append)
    assert [run.status for run in told[0]] == ["reading…", "reading…", "flagged"]
    assert [run.status for run in told[-1]] == ["stopped", "stopped", "flagged"]
    runs.close()


def test_nothing_is_told_while_nothing_changes(tmp_path: Path) -> None:
    run = record(tmp_path, beginning())
    told: list[list[RunSummary]] = []
    runs = RunList(tmp_path, lambda run, seq: False)
    runs.read(told.append)
    count = len(told)
    runs.read(told.append)
    assert len(told) == count
    with Store(tmp_path) as store, store.lock(run):
        runs.read(told.append)
        assert told[-1][0].status == "running"
    runs.read(told.append)
    assert told[-1][0].status == "stopped"
    with Store(tmp_path) as store:
        store.delete_run(run)
    runs.read(told.append)
    assert told[-1] == []
    runs.close()


def test_a_damaged_run_is_listed_as_such(tmp_path: Path) -> None:
    run = record(tmp_path, [*beginning(), *ending()])
    connection = sqlite3.connect(tmp_path / "auditor.db")
    with connection:
        connection.execute("UPDATE events SET payload = '{' WHERE seq = (SELECT MAX(seq) FROM events)")
    connection.close()
    told: list[list[RunSummary]] = []
    runs = RunList(tmp_path, lambda run, seq: False)
    runs.read(told.append)
    assert [(one.run, one.status) for one in told[-1]] == [(run, "damaged")]
    runs.close()
