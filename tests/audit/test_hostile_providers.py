"""Providers that crash, stall, lie or send garbage get a verdict; nobody else is harmed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.command import ROOT, Auditor, Result
from tests.warm_python import interpreter, with_these_tests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]  # one process has the agents

FLAGGED = {
    "truncates": "for a checkpoint of",
    "swaps": "a checkpoint other than the one that it had committed to",
    "floods": "sent more than the",
    "babbles": "gave an invalid answer",
    "huge": "answered with more than",
    "boasts": "did not commit to every boundary",
    "forges": "signed its commitment at step 20 with something that is not by its signing key",
    "unsigned": "committed to a checkpoint at step 20 without a signature, although it has a signing key",
    "nan": "not finite numbers",
    "enormous": "its model lies further from the reference models",
    "idles": "returned the parameters that it had been given, unchanged",
    "idles_too": "returned the parameters that it had been given, unchanged",
    "miscounts": "its step is 21, not 20",
    "misshapes": "names, shapes or types are not those of this job",
}
UNREACHABLE = {
    "silent": "no answer for",
    "hangs_up": "no connection",
    "rekeyed": "it no longer has the signing key that it had",
    "dies_midway": "100,000 of the 633,056 bytes of a checkpoint arrived",
}
HICCUPS = "hiccups"
"""An honest one whose connections break all the time."""
INCONCLUSIVE = {
    "fails": "it failed: [bold]evil",
    "twin": "the same model as twin_too, bit for bit",
    "twin_too": "the same model as twin, bit for bit",
}
SPARE = "hangs_up_again"
"""One ends its process as soon as it is asked for news, so there is another for another audit."""
COPIER = "copies"
"""It has nothing to copy where there is one replicated sub-run only."""
CLAIMERS = ("gives_back", "repeats")
"""They commit to checkpoints that the client has from others."""
APART = (
    "nan",
    "misshapes",
    "enormous",
    "miscounts",
    "idles,idles_too",
    "hangs_up",
    "dies_midway",
    SPARE,
    HICCUPS,
    COPIER,
    *CLAIMERS,
)
"""Tricks that change or end their whole process, which therefore have one of their own."""


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder where every trick is served on a socket named after it."""
    folder = tmp_path_factory.mktemp("hostile")
    apart = ",".join(APART).split(",")
    tricks = [*FLAGGED, *UNREACHABLE, *INCONCLUSIVE, SPARE, HICCUPS, COPIER, *CLAIMERS]
    together = ",".join(trick for trick in tricks if trick not in apart)
    command = [interpreter(), "-m", "tests.hostile_agents", str(folder), together, *APART]
    environment = os.environ | {"PYTHONPATH": with_these_tests()}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        for trick in tricks:
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / f"{trick}.sock"))) as client:
                while True:
                    try:
                        client.get("http://provider/v1/identity")
                        break
                    except httpx.TransportError:
                        assert process.poll() is None, "the hostile agents ended"
        yield folder
    finally:
        process.stdin.close()
        process.wait()


@pytest.fixture(scope="module")
def among_honest(sockets: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One audit in which every trick is played by a replica, among three honest providers and the primary."""
    folder = tmp_path_factory.mktemp("among_honest")
    tricks = [*FLAGGED, *UNREACHABLE, *INCONCLUSIVE, HICCUPS]
    auditor = Auditor(folder, folder / "home")
    job = auditor.job(
        providers=["a", "b", "c", *tricks],
        endpoints={trick: f"unix:{sockets}/{trick}.sock" for trick in tricks},
        steps=20,
        metrics='["update", "output"]',
        # With seeds of their own no two models are equal, so that each has to be fetched.
        audit='fixed_selection = [1]\nstall_seconds = 20\nrandomness = "provider"',
    )
    return auditor.here("run", job, "--json")


@pytest.mark.timeout(300)
def test_honest_providers_are_not_harmed(among_honest: Result) -> None:
    assert among_honest.code == 10, among_honest.stderr
    assert [among_honest.verdicts[name] for name in ("a", "b", "c", HICCUPS)] == ["consistent"] * 4
    assert "Traceback" not in among_honest.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("trick", "verdict", "words"),
    [
        (trick, verdict, words)
        for verdict, group in (("flagged", FLAGGED), ("unreachable", UNREACHABLE), ("inconclusive", INCONCLUSIVE))
        for trick, words in group.items()
    ],
)
def test_each_trick_gets_its_verdict_and_is_named(among_honest: Result, trick: str, verdict: str, words: str) -> None:
    found = next(one for one in among_honest.verdict["providers"] if one["name"] == trick)
    assert (found["verdict"], words in " ".join(found["reasons"])) == (verdict, True), found


@pytest.mark.timeout(300)
def test_no_escape_of_a_provider_reaches_the_store_or_the_screen(among_honest: Result) -> None:
    assert "\x1b" not in among_honest.stdout + among_honest.stderr
    assert "\\u001b" not in among_honest.stdout
    assert "\u202e" not in among_honest.stdout


@pytest.mark.parametrize("trick", ["swaps", "misshapes", "nan", "miscounts", "gives_back"])
def test_a_primary_that_cannot_show_what_it_committed_to_is_flagged(
    auditor: Auditor, sockets: Path, trick: str
) -> None:
    job = auditor.job(
        providers=["p", "b", "c"],
        endpoints={"p": f"unix:{sockets}/{trick}.sock"},
        steps=10,
        audit="fixed_selection = [0]",
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts["p"] == "flagged"
    assert result.verdicts["b"] == result.verdicts["c"] == "consistent"


def test_a_replica_that_dies_is_replaced_by_a_spare_one(auditor: Auditor, sockets: Path) -> None:
    job = auditor.job(
        providers=["a", "b", SPARE, "d"],
        endpoints={SPARE: f"unix:{sockets}/{SPARE}.sock"},
        steps=40,
        audit="fixed_selection = [0, 1, 2, 3]\nreplicas = 2\nstall_seconds = 2",
    )
    result = auditor.here("run", job, "--json")
    assert result.verdicts == {"a": "consistent", "b": "consistent", SPARE: "unreachable", "d": "consistent"}
    assert result.code == 11, result.stderr
    judged = [event for event in result.events if event["event"] == "distances_measured"]
    assert [event["providers"] for event in judged] == [["a", "b", "d"]] * 4 * 3  # update, buffers and optimizer


@pytest.mark.timeout(300)
@pytest.mark.parametrize("trick", CLAIMERS)
def test_who_claims_what_others_made_takes_it_from_nobody(auditor: Auditor, sockets: Path, trick: str) -> None:
    """With shared seeds equal results are one file at the client, whoever commits to it."""
    job = auditor.job(
        providers=["a", "b", "c", "d", trick],
        attacks={"a": '{ name = "badnets", rate = 0.5 }'},
        endpoints={trick: f"unix:{sockets}/{trick}.sock"},
        steps=20,
        audit="fixed_selection = [0, 1]",
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {
        "a": "flagged",
        "b": "consistent",
        "c": "consistent",
        "d": "consistent",
        trick: "flagged",
    }


@pytest.mark.timeout(300)
def test_nobody_is_handed_the_answer_to_what_they_are_still_asked(auditor: Auditor, sockets: Path) -> None:
    job = auditor.job(
        providers=["a", "b", "c", COPIER],
        endpoints={COPIER: f"unix:{sockets}/{COPIER}.sock"},
        steps=60,
        audit='fixed_selection = [0, 1, 2, 3, 4, 5]\nreplicas = 2\nrandomness = "provider"',
    )
    result = auditor.here("run", job, "--json")
    assert [result.verdicts[name] for name in "abc"] == ["consistent"] * 3, result.verdict
    assert result.verdicts[COPIER] == "consistent"
    done: set[tuple[str, int]] = set()
    over: set[int] = set()
    asked = {(event["provider"], event["sub_run"]) for event in result.events if event["event"] == "replica_started"}
    for event in result.events:
        match event["event"]:
            case "replica_started":
                before = event["provider"], event["sub_run"] - 1
                assert before not in asked or before in done, event
                assert before in done or before[1] in over or before[1] < 0, event
            case "replica_returned" | "replica_failed":
                done.add((event["provider"], event["sub_run"]))
            case "sub_run_judged" | "sub_run_undecided":
                over.add(event["sub_run"])
