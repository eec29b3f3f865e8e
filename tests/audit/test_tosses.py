"""Audits whose coins all providers and the client toss, among providers that do not play fair."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import Auditor, Result, until
from tests.pretender import serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tosses")]  # one process has the providers and the first run

FLAGGED = {
    "reveal.says_no": "did not reveal in toss-1 what it had committed to: I will not",
    "reveal.other_value": "revealed in toss-1 something else than it had committed to",
    "reveal.no_value": "did not reveal in toss-1 what it had committed to: it gave an invalid answer",
    "toss.copies": "copied the commitment of the client in toss-1",
    "reveal.says_no_later": "did not reveal in toss-2 what it had committed to: I will not",
    "toss.garbage": "gave an invalid answer",
}
UNREACHABLE = {
    "reveal.never_answers": "it did not reveal in toss-1: no answer for 3 s",
    "toss.never_answers": "it did not commit in toss-1: no answer for 3 s",
    "reveal.closes": "the connection broke",
    "reveal.forgets": "what toss?",
    "reveal.is_refused_on_the_way": "HTTP status 403",
    "toss.says_no": "I will not",  # an older agent knows no tosses
}
COIN = 'fixed_selection = [0]\nrandomness = "coin"\ntoss_seconds = 3.0\nstall_seconds = 20'


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of each trick."""
    with serving([*FLAGGED, *UNREACHABLE], tmp_path_factory.mktemp("p")) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def first(endpoints: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """One audit in which every trick is played, among three honest providers; and the home that it is in."""
    folder = tmp_path_factory.mktemp("first")
    auditor = Auditor(folder, folder / "home")
    job = auditor.job(
        providers=["a", "b", "c", *FLAGGED, *UNREACHABLE], endpoints=endpoints, steps=10, audit=f"{COIN}\nreplicas = 2"
    )
    return auditor.here("run", job, "--json"), auditor.home


@pytest.fixture
def kept(first: tuple[Result, Path], auditor: Auditor) -> Result:
    """That audit, in the home of this test."""
    shutil.copytree(first[1], auditor.home)
    return first[0]


@pytest.mark.timeout(300)
def test_whoever_spoils_a_toss_is_named_and_left_out_and_whoever_is_late_is_not_accused(
    first: tuple[Result, Path],
) -> None:
    result, _ = first
    assert result.code == 10, result.stderr
    found = {one["name"]: one for one in result.verdict["providers"]}
    for verdict, tricks in (("flagged", FLAGGED), ("unreachable", UNREACHABLE)):
        for trick, words in tricks.items():
            assert found[trick]["verdict"] == verdict, found[trick]
            assert words in " ".join(found[trick]["reasons"]), found[trick]
    assert found["a"]["verdict"] == "consistent"
    assert "flagged" not in [found[name]["verdict"] for name in "abc"]
    assert "Traceback" not in result.stderr


def test_each_toss_is_of_fresh_values_and_durable_before_anything_is_revealed(first: tuple[Result, Path]) -> None:
    events = first[0].events
    tosses = [event for event in events if event["event"] in ("toss_committed", "toss_revealed")]
    assert [event["event"] for event in tosses] == ["toss_committed", "toss_revealed"] * 3
    run = events[0]["run"]
    assert [event["toss"] for event in tosses[::2]] == [f"{run}.toss-{number}" for number in (1, 2, 3)]
    members = [{one["name"] for one in event["commitments"]} for event in tosses[::2]]
    assert members[2] == {"", "a", "b", "c"} < members[1] == {*members[2], "reveal.says_no_later"} < members[0]
    assert not {"toss.never_answers", "toss.says_no", "toss.garbage"} & members[0]
    values = [one["value"] for event in tosses[1::2] for one in event["values"] if one["name"] in ("", "a", "b", "c")]
    assert len(set(values)) == 12
    assert [event["seed"] is None for event in tosses[1::2]] == [True, True, False]


def test_the_transcript_is_in_every_report_and_verify_finds_that_it_holds(auditor: Auditor, kept: Result) -> None:
    report = json.loads(auditor.here("report", "last", "--format", "json").stdout)
    seed = next(event["seed"] for event in kept.events if event["event"] == "toss_revealed" and event["seed"])
    assert report["coins"]["seed"] == seed
    assert [toss["seed"] for toss in report["coins"]["tosses"]] == [None, None, seed]
    assert any("choose among at most c + 1 tosses. 3 were made here" in line for line in report["limits"])
    markdown = auditor.here("report", "last", "--format", "markdown").stdout
    assert f"The seed is `{seed}`." in markdown
    assert "copied the commitment of the client" in markdown
    assert "3 providers and the client tossed the seed in 3 tosses" in auditor.here("report", "last").stdout
    assert f"all have revealed; the seed is {seed[:12]}" in kept.stderr or not kept.stderr
    checked = auditor.here("verify", "last", "--json")
    assert checked.code == 0, checked.stdout
    lines = {one["subject"]: one["holds"] for one in checked.events}
    assert lines["toss-1: toss.copies"] is lines["toss-1: reveal.other_value"] is lines["initial state"] is True
    assert lines["toss-1: reveal.says_no"] is None, "a refusal is the client's word"
    assert "holds          toss-3: seed: it is the digest of all values" in auditor.here("verify", "last").stdout


Change = Callable[[dict[str, Any]], None]


def of(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What a participant added to a toss."""
    return next(row for row in rows if row["name"] == name)


def changed(home: Path, kind: str, change: Change) -> None:
    """Change the first event of a kind in the store."""
    with sqlite3.connect(home / "auditor.db") as database:
        seq, text = database.execute("SELECT seq, payload FROM events WHERE kind = ? ORDER BY seq", (kind,)).fetchone()
        change(payload := json.loads(text))
        database.execute("UPDATE events SET payload = ? WHERE kind = ? AND seq = ?", (json.dumps(payload), kind, seq))
    database.close()


CHANGES: dict[str, tuple[str, Change, str]] = {
    "a value": ("toss_revealed", lambda event: of("a", event["values"]).update(value="0" * 64), "toss-1: reveals"),
    "a commitment": (
        "toss_committed",
        lambda event: of("a", event["commitments"]).update(commitment="0" * 64),
        "toss-1: reveals",
    ),
    "the client's commitment": (
        "toss_committed",
        lambda event: of("", event["commitments"]).update(commitment="0" * 64),
        "toss-1: commitments",
    ),
    "a seed": ("toss_revealed", lambda event: event.update(seed="0" * 64), "toss-1: seed"),
    "a name": ("toss_revealed", lambda event: event["faults"].update(a="lied"), "toss-1: a"),
    "a fault": ("toss_revealed", lambda event: event["faults"].pop("toss.copies"), "toss-1: toss.copies"),
    "who was late": ("toss_revealed", lambda event: event.update(missing=[]), "toss-1: late"),
    "a participant": (
        "toss_committed",
        lambda event: event["commitments"].append({"name": "nobody", "commitment": "0" * 64}),
        "toss-1: commitments",
    ),
    "the initial state": ("committed", lambda event: event.update(digest="0" * 64), "initial state"),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.usefixtures("kept")
def test_verify_finds_what_was_changed_in_the_store(auditor: Auditor, what: str) -> None:
    kind, change, subject = CHANGES[what]
    changed(auditor.home, kind, change)
    checked = auditor.here("verify", "last", "--json")
    assert checked.code == 10, checked.stdout
    assert subject in [one["subject"] for one in checked.events if one["holds"] is False], checked.stdout


@pytest.mark.usefixtures("kept")
def test_verify_finds_events_that_are_gone(auditor: Auditor) -> None:
    with sqlite3.connect(auditor.home / "auditor.db") as database:
        database.execute("DELETE FROM events WHERE kind = 'provider_misbehaved'")
    database.close()
    checked = auditor.here("verify", "last")
    assert checked.code == 10
    assert "does not hold  events: numbers are missing" in checked.stdout


@pytest.mark.usefixtures("kept")
def test_verify_finds_a_checkpoint_that_is_not_what_its_name_says_and_leaves_it_where_it_is(auditor: Auditor) -> None:
    blob = min((auditor.home / "runs").glob("*/blobs/*"))
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    checked = auditor.here("verify", "last")
    assert checked.code == 10
    assert f"does not hold  checkpoint {blob.name[:12]}: its bytes are not those of its name" in checked.stdout
    assert blob.exists()
    assert auditor.here("verify", "none").code == 2


@pytest.mark.parametrize(
    ("trick", "code", "verdict"),
    [
        ("reveal.says_no", 10, "flagged"),
        ("reveal.other_value", 10, "flagged"),
        ("reveal.never_answers", 11, "unreachable"),
    ],
)
def test_a_primary_that_spoils_a_toss_ends_the_run_with_its_verdict(
    auditor: Auditor, endpoints: dict[str, str], trick: str, code: int, verdict: str
) -> None:
    job = auditor.job(providers=["p", "b", "c"], endpoints={"p": endpoints[trick]}, steps=10, audit=COIN)
    result = auditor.here("run", job, "--json")
    assert result.code == code, result.stderr
    assert result.verdicts == {"p": verdict, "b": "inconclusive", "c": "inconclusive"}
    assert not any(event["event"] in ("primary_started", "committed") for event in result.events)


def test_too_few_left_after_a_toss_end_the_run_and_it_can_go_on_with_a_new_one(
    auditor: Auditor, endpoints: dict[str, str]
) -> None:
    parts: dict[str, Any] = {"providers": ["a", "b", "p"], "steps": 10, "audit": COIN}
    late = auditor.job(**parts, endpoints={"p": endpoints["reveal.closes"]})
    result = auditor.here("run", late, "--json")
    assert (result.code, result.events[-1]["event"]) == (3, "provider_lost")
    assert "this audit needs the primary and at least 2 other providers" in result.stderr
    named = auditor.job(**parts, endpoints={"p": endpoints["toss.copies"]})
    result = auditor.here("run", named, "--json")
    assert result.code == 10
    assert result.verdicts == {"a": "inconclusive", "b": "inconclusive", "p": "flagged"}


def test_who_is_named_counts_also_where_no_sub_run_was_given_to_it(auditor: Auditor, endpoints: dict[str, str]) -> None:
    trick = "reveal.says_no"
    job = auditor.job(  # one replica, so that most of the others are not asked
        providers=["a", "b", "c", trick], endpoints={trick: endpoints[trick]}, steps=10, audit=f"{COIN}\nreplicas = 1"
    )
    result = auditor.here("run", job, "--json")
    assert (result.code, result.verdicts[trick], result.verdicts["a"]) == (10, "flagged", "consistent")


@pytest.mark.timeout(300)
def test_a_run_that_was_killed_between_commitments_and_reveals_goes_on_with_the_same_toss(
    auditor: Auditor, endpoints: dict[str, str]
) -> None:
    job = auditor.job(
        providers=["a", "b", "c", "p"],
        endpoints={"p": endpoints["reveal.never_answers"]},  # so that it is killed before it records reveals
        steps=10,
        audit=f"{COIN}\nreplicas = 2",
    )
    process = auditor.start("run", job, "--json")
    (*_, committed) = until(process, "toss_committed")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    resumed = auditor.here("resume", "last", "--json")
    assert resumed.code == 11, resumed.stderr
    assert resumed.verdicts["p"] == "unreachable"
    assert "flagged" not in resumed.verdicts.values()
    everything = auditor.here("show", "last", "--json").events
    tosses = [event for event in everything if event["event"] in ("toss_committed", "toss_revealed")]
    assert [event["toss"].rpartition(".")[2] for event in tosses] == ["toss-1", "toss-1", "toss-2", "toss-2"]
    assert tosses[0]["commitments"] == committed["commitments"]
    assert {one["name"] for one in tosses[1]["values"]} == {"", "a", "b", "c"}, "they open what was committed to before"
    assert auditor.here("verify", "last").code == 0
