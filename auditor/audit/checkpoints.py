"""The checkpoints of an audit that the client holds: opened, checked, and had again where its own copy is damaged."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from auditor.audit.events import BoundaryOpened, CheckpointDamaged
from auditor.audit.setting import Setting
from auditor.base.hostile_text import cleaned
from auditor.providers.errors import Misbehaved, Refused, Unreachable
from auditor.tasks.checkpoint import all_finite, read
from auditor.tasks.errors import CheckpointError

DAMAGED = "the client's copy of a checkpoint was damaged and could not be fetched again"
NOT_SHOWN = "did not show the checkpoint that it had committed to"


class Checkpoints:
    """Gives paths to checkpoints whose bytes are those of their digests.

    Args:
        setting: the audit.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._gone: dict[int, str] = {}
        self._damaged: set[int] = set()

    async def open(self, boundary: int) -> Path | None:
        """The checkpoint of a boundary, opened and checked; None when it cannot be had.

        The primary is blamed when it cannot show what it committed to, or when that is no checkpoint of the job; but
        not for what it has shown once, nor where the disk is this machine's.
        """
        setting = self._setting
        async with self._opening[boundary]:
            if boundary in self._gone:
                return None
            known = setting.state.boundaries[boundary]
            path = setting.blobs.path(known.digest)
            shown = boundary == 0 or known.finite is not None
            if await self.held(boundary) is not None and shown:
                return path
            try:
                moved = await setting.primary.client.open(known.digest, setting.workspace.schema.size, setting.blobs)
                finite = await self.check(path, known.step)
            except Unreachable as error:
                setting.give_up(setting.primary, error)
                return None
            except (Misbehaved, Refused, CheckpointError) as error:
                setting.blobs.remove(known.digest)
                if shown:
                    self._gone[boundary] = DAMAGED
                elif isinstance(error, Refused):  # its disk may have failed, which accuses nobody
                    self._gone[boundary] = f"the primary could not show its checkpoint of step {known.step}: {error}"
                else:
                    self._blame(known.step, error)
                return None
            if boundary > 0:
                setting.write(BoundaryOpened(boundary, known.digest, moved, finite))
            return path

    async def held(self, boundary: int) -> Path | None:
        """The checkpoint of a boundary if the client has it, unharmed; that of step 0 it can compute anew."""
        setting = self._setting
        known = setting.state.boundaries[boundary]
        path = setting.blobs.path(known.digest)
        if await asyncio.to_thread(setting.blobs.has, known.digest):
            return path
        if (boundary == 0 or known.finite is not None) and boundary not in self._damaged:
            self._damaged.add(boundary)
            setting.write(CheckpointDamaged(known.digest, known.step, None, None))
        if boundary == 0:
            made = await asyncio.to_thread(setting.workspace.store_initial, setting.blobs)
            if made == known.digest:
                return path
            setting.blobs.remove(made)  # other software draws other weights
        return None

    async def check(self, path: Path, step: int) -> bool:
        """Whether a checkpoint holds finite numbers only.

        Raises:
            CheckpointError: it is none of this job at this step.
        """
        workspace = self._setting.workspace

        def checked() -> bool:
            tensors = read(path, workspace.schema)
            workspace.known.check(tensors, step)
            return all_finite(tensors)

        return await asyncio.to_thread(checked)

    def gone(self, boundary: int) -> str | None:
        """Why a boundary cannot be had though the primary is not to blame; None where that is not so."""
        return self._gone.get(boundary)

    async def take_stock(self) -> None:
        """Look after the models that replicas returned before this process began; done before anybody works on.

        What is damaged is fetched again. A replica that has forgotten it executes its sub-run again.
        """
        setting = self._setting
        for index, sub_run in list(setting.state.sub_runs.items()):
            if sub_run.over:
                continue
            for name, replica in sub_run.replicas.items():
                if replica.digest is None or await asyncio.to_thread(setting.blobs.has, replica.digest):
                    continue
                client, size = setting.parties[name].client, setting.workspace.schema.size
                try:
                    await client.open(replica.digest, size, setting.blobs)
                except (Unreachable, Refused, Misbehaved):
                    step = setting.boundaries[index + 1]
                    setting.write(CheckpointDamaged(replica.digest, step, index, name))

    def _blame(self, step: int, error: Exception) -> None:
        setting = self._setting
        what = "committed to a checkpoint that no training of this job produces"
        what = what if isinstance(error, CheckpointError) else NOT_SHOWN
        reason = f"{what} at step {step}: {error}"
        known = setting.state.provider(setting.primary.name).misbehaviour
        if (None, cleaned(reason)) not in known:
            setting.blame(setting.primary, None, reason)
