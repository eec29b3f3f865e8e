"""What the parts of the engine share."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from auditor.audit.events import Event, ProviderMisbehaved
from auditor.audit.journal import Journal
from auditor.audit.parties import Parties, Party
from auditor.audit.selection import Selection
from auditor.audit.state import AuditState
from auditor.audit.workspace import Workspace
from auditor.base.hostile_text import cleaned
from auditor.base.randomness import key
from auditor.base.seeds import Drawer, Seeds
from auditor.decisions import Assumptions
from auditor.job.model import Job
from auditor.planning import Choice
from auditor.planning.plan import boundaries
from auditor.providers.protocol import RunRequest
from auditor.store import BlobFolder, StoreError


@dataclass(frozen=True)
class Setting:
    """One audit under way: the job, the people, the tools. All that changes is in the journal.

    Attributes:
        run: its id.
        job: what is audited.
        journal: events and state.
        parties: the providers.
        workspace: what the client computes.
        selection: secret draws.
        folder: where the run's files are.
        blobs: checkpoints that the client holds.
        choice: the rule.
        assumptions: what it takes for granted.
        pause: set when somebody wants the audit to stop after the present sub-run.
        settled: set when the primary is flagged in a job that is to stop early.
    """

    run: str
    job: Job
    journal: Journal
    parties: Parties
    workspace: Workspace
    selection: Selection
    folder: Path
    blobs: BlobFolder
    choice: Choice
    assumptions: Assumptions
    pause: asyncio.Event
    settled: asyncio.Event

    @property
    def state(self) -> AuditState:
        """The state after the latest event."""
        return self.journal.state

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The steps at which checkpoints are committed, 0 first."""
        return boundaries(self.job.training.steps, self.job.audit.sub_run_steps)

    @property
    def primary(self) -> Party:
        """The provider that trains the whole job."""
        return self.parties[self.job.primary.name]

    def write(self, event: Event) -> None:
        """Make an event durable and part of the state."""
        self.journal.write(event)

    def give_up(self, party: Party, reason: Exception) -> None:
        """Go on without a provider; unless it is local and failed because this machine's disk is full.

        Raises:
            StoreError: the disk is full, so that nobody is to blame and nothing can go on.
        """
        if party.ours:
            self.check_disk()
        self.parties.lose(party, reason)

    def check_disk(self) -> None:
        """Make sure that there is room for the next checkpoints.

        Raises:
            StoreError: there is not.
        """
        needed, free = 2 * self.workspace.schema.size, shutil.disk_usage(self.folder).free
        if free < needed:
            raise StoreError(
                f"the disk that holds {self.folder} is full: {free:,} bytes are free, and one checkpoint of this job "
                f"takes {needed // 2:,}. Free some space, or set AUDITOR_HOME to a folder on another disk."
            )

    def blame(self, party: Party, sub_run: int | None, reason: object) -> None:
        """Record that a provider did what an honest one never does."""
        self.write(ProviderMisbehaved(party.name, sub_run, cleaned(reason)))

    def seed_of(self, party: Party) -> int | None:
        """The training seed that the client gives a provider; None where the provider draws it."""
        audit = self.job.audit
        if audit.drawn_by is Drawer.PROVIDER:
            return None
        if audit.seeds is Seeds.SHARED:
            return self.workspace.training_seed
        return key(self.job.seed, f"training {party.name}", 0) % 2**63

    def request(self, party: Party, execution: str, start: str, first: int, last: int) -> RunRequest:
        """The request to train from boundary `first` to boundary `last`, starting from the blob `start`."""
        job = self.job
        return RunRequest(
            id=execution,
            task=self.parties.task,
            training=job.training.model_copy(update={"initial": None}),  # the start is a checkpoint that is sent
            dataset_digest=self.workspace.dataset_digest,
            start=start,
            start_step=self.boundaries[first],
            boundaries=self.boundaries[first + 1 : last + 1],
            sub_run_steps=job.audit.sub_run_steps,
            seed=self.seed_of(party),
        )
