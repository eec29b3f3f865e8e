"""Providers that crash, stall, lie or send garbage get a verdict; nobody else is harmed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.command import ROOT, Auditor, Result

pytestmark = pytest.mark.slow

FLAGGED = {
    "truncates": "for a checkpoint of",
    "swaps": "another checkpoint than the one it had committed to",
    "floods": "sent more than the",
    "babbles": "answered nonsense",
    "huge": "answered with more than",
    "boasts": "did not commit to every boundary",
    "nan": "not finite numbers",
    "enormous": "its model lies further from the reference models",
    "idles": "the same model as idles_too to the last bit",
    "idles_too": "the same model as idles to the last bit",
    "misshapes": "names, shapes or types are not those of this job",
}
UNREACHABLE = {"silent": "no answer for", "hangs_up": "no connection"}
INCONCLUSIVE = {"fails": "it failed: [bold]evil"}
APART = (("nan",), ("misshapes",), ("enormous",), ("idles", "idles_too"), ("hangs_up",))
"""Tricks that change or end their whole process, which therefore have one of their own."""


@contextmanager
def hostile(folder: Path, *tricks: str) -> Iterator[None]:
    """Serve these tricks, each on a socket named after it, until the context ends."""
    command = [sys.executable, "-m", "tests.hostile_agents", str(folder), *tricks]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for trick in tricks:
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / f"{trick}.sock"))) as client:
                while True:
                    try:
                        client.get("http://provider/v1/identity")
                        break
                    except httpx.TransportError:
                        assert process.poll() is None, "the hostile agents ended"
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def among_honest(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One audit in which every trick is played by a replica, among three honest providers and the primary."""
    folder = tmp_path_factory.mktemp("hostile")
    tricks = [*FLAGGED, *UNREACHABLE, *INCONCLUSIVE]
    auditor = Auditor(folder, folder / "home")
    with ExitStack() as stack:
        apart = [trick for group in APART for trick in group]
        for group in (*APART, tuple(trick for trick in tricks if trick not in apart)):
            stack.enter_context(hostile(folder, *group))
        job = auditor.job(
            providers=["a", "b", "c", *tricks],
            endpoints={trick: f"unix:{folder}/{trick}.sock" for trick in tricks},
            steps=20,
            metrics='["update", "output"]',
            # With seeds of their own no two models are equal, so that each has to be fetched.
            audit='fixed_selection = [1]\nstall_seconds = 40\nrandomness = "provider"',
        )
        return auditor("run", job, "--json")


@pytest.mark.timeout(300)
def test_honest_providers_are_not_harmed(among_honest: Result) -> None:
    assert among_honest.code == 10, among_honest.stderr
    assert [among_honest.verdicts[name] for name in "abc"] == ["consistent"] * 3
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


@pytest.mark.parametrize("trick", ["swaps", "misshapes", "nan"])
def test_a_primary_that_cannot_show_what_it_committed_to_is_flagged(
    auditor: Auditor, tmp_path: Path, trick: str
) -> None:
    with hostile(tmp_path, trick):
        job = auditor.job(
            providers=["p", "b", "c"],
            endpoints={"p": f"unix:{tmp_path}/{trick}.sock"},
            steps=10,
            audit="fixed_selection = [0]",
        )
        result = auditor("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts["p"] == "flagged"
    assert result.verdicts["b"] == result.verdicts["c"] == "consistent"


def test_a_replica_that_dies_is_replaced_by_a_spare_one(auditor: Auditor, tmp_path: Path) -> None:
    with hostile(tmp_path, "hangs_up"):
        job = auditor.job(
            providers=["a", "b", "hangs_up", "d"],
            endpoints={"hangs_up": f"unix:{tmp_path}/hangs_up.sock"},
            steps=40,
            audit="fixed_selection = [0, 1, 2, 3]\nreplicas = 2\nstall_seconds = 2",
        )
        result = auditor("run", job, "--json")
    assert result.verdicts == {"a": "consistent", "b": "consistent", "hangs_up": "unreachable", "d": "consistent"}
    assert result.code == 11, result.stderr
    judged = [event for event in result.events if event["event"] == "distances_measured"]
    assert [event["providers"] for event in judged] == [["a", "b", "d"]] * 4
