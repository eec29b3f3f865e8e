"""Whatever a provider answers, the client says what it was, in bounded time; it accuses of what no honest one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from auditor.audit.status_stream import follow
from auditor.job.endpoint import UnixEndpoint
from auditor.job.job_file import parse_job
from auditor.job.model import Job
from auditor.providers import client as client_module
from auditor.providers.client import ProviderClient
from auditor.providers.errors import ProviderError, Unreachable
from auditor.providers.protocol import RunRequest, TossList, TossRequest
from auditor.store.blobs import PARTIAL, BlobFolder
from tests.command import job_text
from tests.pretences import PRETENCES, SLOW, TOSS_PRETENCES
from tests.pretender import DIGEST, SIZE, Pretender

PATIENCE = 0.5
"""What breaks is not asked again for longer, so that the tests are short."""


@pytest.fixture(scope="module")
def job() -> Job:
    return parse_job(job_text())


def request_of(job: Job) -> RunRequest:
    return RunRequest(
        id="r.1.0",
        task=job.task,
        training=job.training,
        dataset_digest="0" * 64,
        start="1" * 64,
        start_step=10,
        boundaries=(20,),
        sub_run_steps=10,
        seed=1,
    )


@asynccontextmanager
async def asking(folder: Path, trick: str, patience: float = PATIENCE) -> AsyncIterator[ProviderClient]:
    path = folder / "s"
    server = await Pretender(trick).serve(path)
    async with ProviderClient(UnixEndpoint(path), patience=patience) as client:
        yield client
    server.close()


async def in_place(client: ProviderClient, place: str, folder: Path, job: Job) -> None:
    """Ask for what has a trick in it."""
    request = request_of(job)
    if place == "identity":
        await client.identity()
    elif place == "blob":
        await client.open(DIGEST, SIZE, BlobFolder(folder / "blobs"))
    elif place == "put":
        (folder / "start").write_bytes(bytes(3_000_000))
        await client.upload(folder / "start", "1" * 64)
    elif place == "toss":
        await client.commit_to_toss("t", TossRequest(name="p", commitment="0" * 64), 100.0)
    elif place == "reveal":
        await client.reveal_toss("t", TossList(commitments=()), 100.0)
    else:
        await client.start(request)
        async for _ in follow(client, request, stall_seconds=1, waiting_seconds=1):
            pass


@pytest.mark.parametrize(("place", "tricks"), [*PRETENCES.items(), *TOSS_PRETENCES.items()])
async def test_an_answer_is_blamed_on_whom_it_is_to_be_blamed(
    tmp_path: Path,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    tricks: dict[str, tuple[type[ProviderError], str]],
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 100.0)  # a busy machine is no part of this

    async def outcome(trick: str) -> tuple[type[ProviderError], str]:
        (folder := tmp_path / trick).mkdir()
        async with asking(folder, f"{place}.{trick}") as client:
            try:
                await in_place(client, place, folder, job)
            except ProviderError as error:
                left = [file.name for file in (folder / "blobs").glob("*") if not file.name.startswith(PARTIAL)]
                assert not left, trick
                return type(error), str(error)
        raise AssertionError(f"{place}.{trick} was believed")

    found = dict(zip(tricks, await asyncio.gather(*map(outcome, tricks)), strict=True))
    wrong = {
        trick: found[trick]
        for trick, (kind, words) in tricks.items()
        if found[trick][0] is not kind or words not in found[trick][1] or "\x1b" in found[trick][1]
    }
    assert wrong == {}


async def test_no_exchange_lasts_for_ever_because_something_comes_now_and_then(
    tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(client_module, "LEAST_RATE", 1 << 20)
    places = [(place, what) for place in ("identity", "start", "status", "blob") for what in SLOW]
    places += [("put", what) for what in ("never_answers", "never_reads", "continues")]

    async def held(place: str, what: str) -> None:
        folder = tmp_path / f"{place}-{what}"
        folder.mkdir()
        async with asking(folder, f"{place}.{what}") as client:
            with pytest.raises(Unreachable, match="no answer for"):
                await in_place(client, place, folder, job)

    await asyncio.gather(*(held(*one) for one in places))


async def test_who_waits_for_its_turn_or_prepares_for_longer_than_a_stall_is_not_given_up(
    tmp_path: Path, job: Job
) -> None:
    request = request_of(job)
    async with asking(tmp_path, "status.takes_its_time") as client:
        await client.start(request)
        following = follow(client, request, stall_seconds=0.2, waiting_seconds=600)
        states = [status.state async for status in following]
    assert list(dict.fromkeys(states)) == ["queued", "preparing", "finished"]


async def test_a_checkpoint_that_comes_wrong_once_is_no_misbehaviour(tmp_path: Path) -> None:
    async with asking(tmp_path, "blob.other_once") as client:
        blobs = BlobFolder(tmp_path / "blobs")
        assert await client.open(DIGEST, SIZE, blobs) == 2 * SIZE  # it came twice
        assert blobs.has(DIGEST)


async def test_a_checkpoint_that_breaks_off_is_reported_with_the_bytes_that_came(tmp_path: Path) -> None:
    async with asking(tmp_path, "blob.cut_off") as client:
        with pytest.raises(Unreachable, match=r"316,528 of the 633,056 bytes of a checkpoint arrived"):
            await client.open(DIGEST, SIZE, BlobFolder(tmp_path / "blobs"))


@pytest.mark.parametrize("trick", ["identity.sets_cookies", "identity.evil_words"])
async def test_what_an_honest_identity_is_dressed_up_with_does_no_harm(tmp_path: Path, trick: str) -> None:
    async with asking(tmp_path, trick) as client:
        known = await client.identity()
    assert "\x1b" not in known.device
    assert len(known.software) <= 500
