"""Machines that the client trusts execute sub-runs for it, to see how far their rounding drives models apart."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.audit.connections import Connection, Connections
from auditor.audit.record.events import ProviderLost, ProviderReady
from auditor.audit.selection import Selection
from auditor.audit.status_stream import follow
from auditor.audit.workspace import Workspace
from auditor.job.model import Job
from auditor.job.provider import Provider
from auditor.providers.errors import ProviderError
from auditor.providers.protocol import RunRequest
from auditor.store.blobs import BlobFolder
from auditor.tasks.errors import CheckpointError, TrainingError


@dataclass(frozen=True)
class Executed:
    """What one machine made of a sub-run.

    Attributes:
        machine: its name.
        model: the checkpoint at the end.
    """

    machine: str
    model: Path


class TrustedMachines:
    """Providers that train honestly as far as the client is concerned.

    Args:
        job: whose sub-runs they execute; its seeds must be shared.
        providers: where they are.
        workspace: the job's program on the client's machine.
        folder: for the files of those that are started here, and for what is returned.
        downloads: the folder for datasets.

    Attributes:
        described: what each computes with, in words, once it has executed something.
    """

    def __init__(
        self, job: Job, providers: Sequence[Provider], workspace: Workspace, folder: Path, downloads: Path
    ) -> None:
        self._job = job.model_copy(update={"providers": tuple(providers)})
        self._workspace = workspace
        self._folder = folder
        self._downloads = downloads
        self.described: dict[str, str] = {}

    def execute(self, starts: Mapping[int, tuple[Path, int]], blobs: BlobFolder) -> dict[int, list[Executed]]:
        """Have every machine execute some sub-runs.

        Args:
            starts: by their first step, the checkpoint that each starts from and how many steps it has.
            blobs: has these checkpoints; what is returned is put there.

        Raises:
            TrainingError: a machine cannot be reached, or returns nothing that can be compared; says which.
        """
        return asyncio.run(self._execute(starts, blobs))

    async def _execute(self, starts: Mapping[int, tuple[Path, int]], blobs: BlobFolder) -> dict[int, list[Executed]]:
        selection = Selection(self._job, secrets.token_bytes(32))
        async with Connections(self._job, selection, self._folder, self._downloads, self._folder, {}) as connections:
            await connections.start()
            await connections.greet_again()
            found: dict[int, list[Executed]] = {step: [] for step in starts}

            async def by_one(connection: Connection) -> None:
                for step, (start, steps) in starts.items():
                    model = await self._by(connection, connections, step, start, steps, blobs)
                    found[step].append(Executed(connection.name, model))

            await asyncio.gather(*map(by_one, connections))
            return found

    async def _by(
        self, connection: Connection, connections: Connections, step: int, start: Path, steps: int, blobs: BlobFolder
    ) -> Path:
        greeting, client, workspace = connection.greeting, connection.client, self._workspace
        if not isinstance(greeting, ProviderReady):
            reason = greeting.reason if isinstance(greeting, ProviderLost) else "it did not answer"
            raise TrainingError(f"--trusted {connection.provider.endpoint}: {reason}. Start it, or leave it out.")
        self.described[connection.name] = f"{greeting.device}, {greeting.software}"
        request = RunRequest(
            id=f"calibrate.{secrets.token_hex(8)}",
            task=connections.task,
            training=self._job.training.model_copy(update={"initial": None}),
            dataset_digest=workspace.program.digest,
            part_digests=workspace.program.part_digests,
            start=start.name,
            start_step=step,
            boundaries=(step + steps,),
            sub_run_steps=self._job.audit.sub_run_steps,
            seed=workspace.training_seed,
            provider=connection.name,
        )
        try:
            await client.upload(start, start.name)
            await client.start(request)
            digest = ""
            audit = self._job.audit
            async for status in follow(
                client, request, stall_seconds=audit.stall_seconds, waiting_seconds=audit.waiting_seconds
            ):
                digest = status.commitments[-1].digest if status.commitments else digest
            await client.open(digest, workspace.schema.size, blobs)
            if not await asyncio.to_thread(workspace.check, blobs.path(digest), step + steps):
                raise CheckpointError("it holds numbers that are not finite.")
        except (ProviderError, CheckpointError) as error:
            raise TrainingError(f"--trusted {connection.provider.endpoint}, from step {step:,}: {error}") from None
        return blobs.path(digest)
