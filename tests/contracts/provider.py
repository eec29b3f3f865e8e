"""What every provider must hold to, however it came to be there."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import torch

from auditor.audit.status_stream import follow
from auditor.job import Training
from auditor.providers.client import ProviderClient
from auditor.providers.errors import Refused, Unreachable
from auditor.providers.launcher import Launch
from auditor.providers.launchers import Launchers
from auditor.providers.protocol import Commitment, RunRequest
from auditor.providers.signed_commitment import is_signed, statement
from auditor.store.blobs import BlobFolder
from auditor.tasks.checkpoint import encode, read
from tests.tasks.loading import network_program, network_task

TASK = network_task(dataset="digits", model="resnet8")
TRAINING = Training(steps=20, batch_size=8)
PROGRAM = network_program(TASK)


class ProviderContract(ABC):
    """Subclass it, and say how the provider comes to be there."""

    @abstractmethod
    def launch(self, folder: Path) -> AbstractAsyncContextManager[Launch]:
        """A provider called `a`, wanted at some endpoint, while the context lasts."""

    @asynccontextmanager
    async def client(self, folder: Path, word: str = "w" * 32) -> AsyncIterator[ProviderClient]:
        """What speaks to it once it answers."""
        async with (
            self.launch(folder) as launch,
            Launchers([launch], folder) as launchers,
            ProviderClient(launchers.address("a"), word=word) as client,
        ):
            while launchers.why_ended("a") is None:
                try:
                    await client.identity()
                    break
                except Unreachable:  # it is coming up
                    await asyncio.sleep(0.05)
            yield client

    async def test_it_trains_from_what_it_is_given_and_shows_what_it_committed_to(self, tmp_path: Path) -> None:
        async with self.client(tmp_path) as client:
            identity = await client.identity()
            found = await _trained(client, tmp_path, "first", (5, 10))
            again = await _trained(client, tmp_path, "again", (5, 10))
            await client.release(found[-1].digest)
            kept = [await client.has(commitment.digest) for commitment in found]
        assert (identity.protocol, identity.device) == (1, "cpu")
        assert identity.threads >= 1
        learner = PROGRAM.learner(TRAINING, device=torch.device("cpu"), seed=1)
        assert [commitment.step for commitment in found] == [5, 10]
        results = [[made.digest for made in one] for one in (found, again)]
        assert results[0] == results[1], "the same order has the same result"
        assert identity.signing_key is not None
        for run, made in [("first", found[0]), ("again", again[1])]:
            assert made.signature is not None
            signed = [
                is_signed(identity.signing_key, made.signature, statement(one, "a", made.step, made.digest))
                for one in (run, "other")
            ]
            assert signed == [True, False], "it signs what it commits to, in this run alone"
        assert int(read(tmp_path / "blobs" / found[-1].digest, learner.schema)["step"]) == 10
        assert kept == [True, False]

    async def test_one_id_is_one_run_and_a_run_that_is_cancelled_is_over(self, tmp_path: Path) -> None:
        async with self.client(tmp_path) as client:
            request = await _ordered(client, tmp_path, "once", (5,))
            await client.start(request)
            await client.start(request)
            statuses = [status async for status in _follow(client, request)]
            long = TRAINING.model_copy(update={"steps": 1_000_000})
            request = request.model_copy(update={"id": "long", "training": long, "boundaries": (1_000_000,)})
            status = await client.start(request)
            await client.cancel(request.id)
            while status.state not in ("cancelled", "failed", "finished"):
                status = await client.status(request.id, version=status.version, first=0, wait=1)
        assert sum(len(status.commitments) for status in statuses) == 1
        assert status.state == "cancelled"

    async def test_it_refuses_other_data_and_does_not_know_what_it_never_had(self, tmp_path: Path) -> None:
        async with self.client(tmp_path) as client:
            request = await _ordered(client, tmp_path, "wrong", (5,))
            wrong = request.model_copy(update={"dataset_digest": "0" * 64})
            await client.start(wrong)
            with pytest.raises(Refused, match="differs from the client's"):
                async for _ in _follow(client, wrong):
                    pass
            with pytest.raises(Refused):
                await client.open("1" * 64, 100, BlobFolder(tmp_path / "none"))
            with pytest.raises(Refused):
                await client.status("never", version=-1, first=0, wait=0)


async def _ordered(client: ProviderClient, folder: Path, run: str, boundaries: tuple[int, ...]) -> RunRequest:
    """Upload a start; what asks to train from it."""
    learner = PROGRAM.learner(TRAINING, device=torch.device("cpu"), seed=1)
    blobs = BlobFolder(folder / "blobs")
    start = blobs.add(encode(learner.checkpoint(), learner.schema))
    await client.upload(blobs.path(start), start)
    return RunRequest(
        id=run,
        task=TASK,
        training=TRAINING,
        dataset_digest=PROGRAM.digest,
        start=start,
        start_step=0,
        boundaries=boundaries,
        sub_run_steps=5,
        seed=1,
        provider="a",
    )


async def _trained(client: ProviderClient, folder: Path, run: str, boundaries: tuple[int, ...]) -> list[Commitment]:
    """Have it train; what it committed to, fetched."""
    request = await _ordered(client, folder, run, boundaries)
    await client.start(request)
    found = [commitment async for status in _follow(client, request) for commitment in status.commitments]
    assert request.start is not None
    blobs = BlobFolder(folder / "blobs")
    for commitment in found:
        await client.open(commitment.digest, blobs.path(request.start).stat().st_size, blobs)
    return found


def _follow(client: ProviderClient, request: RunRequest) -> AsyncIterator:  # type: ignore[type-arg]
    return follow(client, request, stall_seconds=60, waiting_seconds=60)
