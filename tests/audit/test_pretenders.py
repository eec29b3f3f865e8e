"""Audits with providers that do to the protocol whatever can be done: each ends, with the verdict that is due."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable
from tests.command import Auditor, Result
from tests.pretences import PRETENCES, SLOW
from tests.pretender import CRAFTED, serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pretenders")]

STALL_SECONDS = 15
VERDICTS: dict[type[ProviderError], str] = {
    Misbehaved: "flagged",
    Refused: "inconclusive",
    Unreachable: "unreachable",
}
EXPECTED = {
    # Who cannot be greeted has not been given anything yet, and is not accused.
    f"{place}.{trick}": "unreachable" if place == "identity" else VERDICTS[kind]
    for place, tricks in PRETENCES.items()
    for trick, (kind, _) in tricks.items()
    if trick != "queues"  # an hour by default
} | {f"{place}.{trick}": "unreachable" for place in ("identity", "start", "status", "blob") for trick in SLOW}
EXPECTED |= {f"checkpoint.{trick}": "flagged" for trick in CRAFTED}


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of each trick."""
    with serving(list(EXPECTED), tmp_path_factory.mktemp("p")) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def among_honest(endpoints: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One audit with every trick among three honest providers."""
    folder = tmp_path_factory.mktemp("among")
    auditor = Auditor(folder, folder / "home")
    job = auditor.job(
        providers=["a", "b", "c", *EXPECTED],
        endpoints=endpoints,
        steps=10,
        audit=f'fixed_selection = [0]\nstall_seconds = {STALL_SECONDS}\nrandomness = "provider"',
    )
    return auditor("run", job, "--json")


@pytest.mark.timeout(300)
def test_every_trick_gets_its_verdict_and_the_honest_are_not_harmed(among_honest: Result) -> None:
    assert among_honest.code == 10, among_honest.stderr
    assert among_honest.verdicts == {"a": "consistent", "b": "consistent", "c": "consistent"} | EXPECTED
    assert "Traceback" not in among_honest.stderr
    assert "\x1b" not in among_honest.stdout + among_honest.stderr
    assert "\u202e" not in among_honest.stdout


@pytest.mark.timeout(300)
def test_the_audit_lasted_no_longer_than_its_deadlines_add_up_to(among_honest: Result) -> None:
    # Greeting, upload, start, training, and two attempts at a checkpoint, which travels in another ten seconds.
    assert among_honest.verdict["cost"]["seconds"] < 10 * STALL_SECONDS + 60


@pytest.mark.parametrize(
    ("trick", "code", "verdict"),
    [
        ("identity.continues", 3, None),
        ("status.nan", 10, "flagged"),
        ("status.deep_lists", 10, "flagged"),
        ("blob.cut_off", 11, "unreachable"),
        ("blob.refuses_evilly", 11, "unreachable"),
        ("blob.other", 10, "flagged"),
    ],
)
def test_a_primary_that_does_so_ends_the_audit_in_good_order(
    auditor: Auditor, endpoints: dict[str, str], trick: str, code: int, verdict: str | None
) -> None:
    job = auditor.job(
        providers=["p", "b", "c"],
        endpoints={"p": endpoints[trick]},
        steps=10,
        audit=f"fixed_selection = [0]\nstall_seconds = {STALL_SECONDS}",
    )
    result = auditor.here("run", job, "--json")
    assert (result.code, "Traceback" in result.stderr) == (code, False), result.stderr
    if verdict is not None:
        assert result.verdicts["p"] == verdict
        assert "flagged" not in (result.verdicts["b"], result.verdicts["c"])
        assert auditor.here("resume", "last", "--json").code == code
