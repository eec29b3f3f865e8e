"""What `auditor runs prune` removes, and what it leaves for those who still need it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.audit.pruning import Prunable, Wanted, prunable, prune
from auditor.audit.record import events as e
from auditor.audit.record.findings import Cost, Outcome, ProviderVerdict, RecordedJudgement
from auditor.audit.record.update_events import UpdateFinished, UpdateStarted
from auditor.job import parse_job
from auditor.store import RunRecord, Store
from auditor.store.blobs import PARTIAL
from tests.command import Auditor, job_text

SIZE = 1000
COST = Cost(30, 10, 0.3, 1.0, 100, None)


def content(number: int) -> bytes:
    return number.to_bytes(2, "big") * (SIZE // 2)


def digest(number: int) -> str:
    return hashlib.sha256(content(number)).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "home") as found:
        yield found


def job(**training: Any) -> str:
    """A job as it is stored."""
    made = parse_job(job_text())
    return made.model_copy(update={"training": made.training.model_copy(update=training)}).model_dump_json()


def keep(store: Store, run: RunRecord, numbers: Sequence[int]) -> None:
    for number in numbers:
        store.blobs(run.id).add([content(number)])


def write(store: Store, run: RunRecord, events: Sequence[e.Event]) -> None:
    for event in events:
        store.append(run.id, event.kind, event.payload())


def finished(outcome: Outcome) -> e.AuditFinished:
    verdict = "flagged" if outcome == "flagged" else "consistent" if outcome == "clean" else "inconclusive"
    named = [ProviderVerdict(name, verdict if name == "a" else "consistent", 0.5, 1.0, 2, ()) for name in "abc"]  # type: ignore[arg-type]
    return e.AuditFinished(outcome, tuple(named), COST)


def judged(sub_run: int, deviates: bool) -> e.SubRunJudged:
    judgements = [
        RecordedJudgement("update", name, 0.5, 1.0, "", deviates=deviates and name == "a") for name in ("a", "b", "c")
    ]
    return e.SubRunJudged(sub_run, tuple(judgements))


def run(store: Store, outcome: Outcome | None = "clean", *, deviates: int | None = None, **training: Any) -> RunRecord:
    """Three sub-runs, of which two are replicated: boundaries are checkpoints 0 to 3, replicas' 10, 11 and 30, 31."""
    made = store.create_run("run", job(**training), "job.toml")
    keep(store, made, [0, 1, 2, 3, 10, 11, 30, 31])
    events: list[e.Event] = [
        e.RunStarted("run", "a", ("b", "c"), 30, 10, 3, "ratio", "", ()),
        e.Committed(0, 0, digest(0), None),
        *(e.Committed(number, 10 * number, digest(number), 1.0) for number in (1, 2, 3)),
        *(e.Drawn(number, number != 1) for number in range(3)),
        *(e.BoundaryOpened(number, digest(number), SIZE, True) for number in (1, 2, 3)),
    ]
    for sub_run, names in ((0, (10, 11)), (2, (30, 31))):
        for provider, number in zip("bc", names, strict=True):
            events.append(e.ReplicaStarted(sub_run, provider, f"x-{number}", SIZE))
            events.append(e.ReplicaReturned(sub_run, provider, digest(number), SIZE, 0.1, True))
        events.append(judged(sub_run, deviates == sub_run))
    if outcome is not None:
        path = str(store.blobs(made.id).path(digest(3)))
        events += [e.PrimaryFinished("a", 1.0), e.ModelDelivered(30, digest(3), path, 0, 0.9), finished(outcome)]
    write(store, made, events)
    return made


def left(store: Store, one: RunRecord) -> set[int]:
    """Which checkpoints of a run are there."""
    names = {digest(number): number for number in (0, 1, 2, 3, 10, 11, 30, 31, 50)}
    return {names[file.name] for file in (store.run_folder(one.id) / "blobs").iterdir() if file.name in names}


ALL = Wanted()


def pruned(store: Store, wanted: Wanted = ALL) -> Prunable:
    shown = prunable(store, wanted)
    removed = prune(store, shown, wanted)
    assert (removed.files, removed.bytes) == (shown.files, shown.bytes)
    assert prunable(store, wanted).files == 0
    return removed


def test_a_clean_run_keeps_the_model_that_it_delivered(store: Store) -> None:
    clean = run(store)
    removed = pruned(store)
    assert left(store, clean) == {3}
    assert (removed.files, removed.bytes) == (7, 7 * SIZE)
    assert dict(removed.runs[0].kept) == {"delivered": 1}
    pruned(store, Wanted(delivered=True))
    assert left(store, clean) == set()


def test_a_flagged_run_keeps_what_shows_it_and_what_was_verified_before(store: Store) -> None:
    flagged = run(store, "flagged", deviates=2)
    pruned(store)
    assert left(store, flagged) == {0, 1, 2, 3, 30, 31}  # 1 is the last that was verified, 0 where all began
    pruned(store, Wanted(evidence=True))
    assert left(store, flagged) == {3}


@pytest.mark.parametrize("outcome", ["flagged", "inconclusive"])
def test_where_no_single_sub_run_shows_why_all_replicated_ones_are_kept(store: Store, outcome: Outcome) -> None:
    one = run(store, outcome)
    pruned(store)
    assert left(store, one) == {0, 1, 2, 3, 10, 11, 30, 31}


def test_a_run_that_can_be_resumed_keeps_all_but_what_was_left_over(store: Store) -> None:
    one = run(store, None)
    folder = store.run_folder(one.id)
    (folder / "blobs" / ".incoming-1").write_bytes(bytes(10))
    (folder / "blobs" / f"{PARTIAL}{digest(50)}").write_bytes(bytes(10))
    (folder / ".rehearsal-1").mkdir()
    (folder / ".rehearsal-1" / "end").write_bytes(bytes(10))
    (folder / "log.txt").write_text("log")
    assert pruned(store).bytes == 20
    assert left(store, one) == {0, 1, 2, 3, 10, 11, 30, 31}
    assert {file.name for file in folder.iterdir()} == {"blobs", "log.txt", "lock"}
    assert (folder / "blobs" / f"{PARTIAL}{digest(50)}").exists()


def test_a_run_whose_primary_was_lost_keeps_all_as_it_can_go_on(store: Store) -> None:
    one = run(store, None)
    verdicts = replace(finished("inconclusive"))
    write(store, one, [e.ProviderLost("a", "it does not answer"), verdicts])
    assert prunable(store, Wanted()).files == 0


def test_a_run_that_ended_gives_up_parts_of_downloads_and_what_its_own_providers_left(store: Store) -> None:
    one = run(store)
    theirs = store.run_folder(one.id) / "providers" / "00" / "clients" / "f0" / "blobs"
    theirs.mkdir(parents=True)
    (theirs / digest(1)).write_bytes(content(1))
    (store.run_folder(one.id) / "blobs" / f"{PARTIAL}{digest(50)}").write_bytes(bytes(10))
    assert pruned(store).files == 9
    assert not theirs.exists()


def test_what_another_run_starts_from_is_kept_whatever_is_asked(store: Store) -> None:
    first, second, third = run(store), run(store), run(store)
    everything = Wanted(delivered=True, evidence=True)
    boundary = store.blobs(second.id).path(digest(2))
    run(store, None, initial=f"run:{first.id}")
    run(store, "clean", initial=str(boundary))
    pruned(store, everything)
    assert left(store, first) == {3}
    assert left(store, second) == {2}
    assert left(store, third) == set()


def test_a_chain_that_goes_on_keeps_the_models_of_its_updates(store: Store) -> None:
    chain = store.create_run("chain", job(), "job.toml")
    update = store.create_update(chain, 0, job(), None)
    keep(store, update, [0, 1, 3])
    path = str(store.blobs(update.id).path(digest(3)))
    events = [
        e.RunStarted("run", "a", ("b", "c"), 30, 10, 3, "ratio", "", ()),
        e.Committed(0, 0, digest(0), None),
        e.PrimaryFinished("a", 1.0),
        e.ModelDelivered(30, digest(3), path, 0, 0.9),
        finished("clean"),
    ]
    write(store, update, events)
    ended = UpdateFinished(0, update.id, "clean", finished("clean").providers, COST, digest(3))
    write(store, chain, [events[0], UpdateStarted(0, update.id, 30, None), ended])
    pruned(store, Wanted(delivered=True))
    assert left(store, update) == {3}
    write(store, chain, [finished("clean")])
    following = store.create_run("after", job(initial=f"run:{chain.id}"), "job.toml")
    pruned(store, Wanted(delivered=True))
    assert left(store, update) == {3}
    store.delete_run(following.id)
    pruned(store, Wanted(runs=[chain.id], delivered=True))
    assert left(store, update) == set()


def test_a_run_that_is_being_executed_is_not_touched(store: Store) -> None:
    one = run(store)
    shown = prunable(store, Wanted())
    with Store(store.folder) as other, other.lock(one.id):
        assert prunable(store, Wanted()).files == 0
        assert prune(store, shown, Wanted()).files == 0
    assert left(store, one) == {0, 1, 2, 3, 10, 11, 30, 31}


def test_what_is_needed_since_it_was_shown_stays(store: Store) -> None:
    one = run(store)
    wanted = Wanted(delivered=True)
    shown = prunable(store, wanted)
    run(store, None, initial=f"run:{one.id}")
    prune(store, shown, wanted)
    assert left(store, one) == {3}


def test_a_run_that_cannot_be_read_keeps_all(store: Store) -> None:
    one = store.create_run("odd", "{}", "job.toml")
    update = store.create_update(one, 0, job(), None)
    for run_of in (one, update):
        keep(store, run_of, [0, 1])
    write(store, update, [e.RunStarted("run", "a", ("b", "c"), 30, 10, 3, "ratio", "", ()), finished("clean")])
    assert prunable(store, Wanted(delivered=True, evidence=True)).files == 0


def test_only_runs_that_are_named_and_old_enough_are_pruned(store: Store) -> None:
    first, second = run(store), run(store)
    assert prunable(store, Wanted(older_than=timedelta(hours=1))).files == 0
    assert [one.run for one in prunable(store, Wanted(runs=[first.id])).runs] == [first.id]
    pruned(store, Wanted(runs=[second.id]))
    assert (left(store, first), left(store, second)) == ({0, 1, 2, 3, 10, 11, 30, 31}, {3})


def test_equal_checkpoints_of_several_runs_share_their_room_and_a_damaged_one_is_left_alone(store: Store) -> None:
    runs = [run(store), run(store), run(store)]
    damaged = store.blobs(runs[2].id).path(digest(3))
    damaged.write_bytes(b"?" * SIZE)
    removed = prune(store, prunable(store, Wanted()), Wanted())
    files = [store.blobs(one.id).path(digest(3)) for one in runs]
    assert files[0].samefile(files[1])
    assert not files[0].samefile(damaged)
    assert (len(removed.copies), removed.copied_bytes) == (1, SIZE)
    assert all(store.blobs(one.id).has(digest(3)) for one in runs[:2])
    # A name less frees nothing as long as there is another.
    assert prunable(store, Wanted(runs=[runs[0].id], delivered=True)).bytes == 0
    assert prunable(store, Wanted(runs=[runs[0].id, runs[1].id], delivered=True)).bytes == SIZE


def test_the_command_says_what_it_would_remove_and_removes_it_when_told_to(auditor: Auditor) -> None:
    with Store(auditor.home) as store:
        one = run(store)
    said = auditor.here("runs", "prune")
    assert said.code == 0
    assert f"{one.id}: 7 checkpoints, 7.0 kB; keeps 1 (delivered)" in said.stderr
    assert "Nothing was removed. Add --yes to remove it." in said.stderr
    rows = auditor.here("runs", "prune", "--json", "--older-than", "0h").events
    assert rows == [
        {"run": one.id, "files": 7, "checkpoints": 7, "bytes": 7000, "kept": {"delivered": 1}},
        {"files": 7, "bytes": 7000, "shared_files": 0, "shared_bytes": 0, "removed": False},
    ]
    assert json.loads(auditor.here("runs", "prune", "last", "--json", "--yes").stdout.splitlines()[-1])["removed"]
    assert auditor.here("runs", "prune").stderr == "There is nothing that no run needs.\n"
    assert [row["run"] for row in auditor.here("runs", "--json").events] == [one.id]
    wrong = auditor.here("runs", "prune", "--older-than", "soon")
    assert (wrong.code, "'soon' is no age" in wrong.stderr) == (2, True)
