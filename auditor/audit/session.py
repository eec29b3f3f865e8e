"""One audit under way: what the engine's parts do in it, and what they must not do each in its own way."""

from __future__ import annotations

import asyncio
import shutil
from bisect import bisect_left
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from auditor.audit.connections import Connection, Connections
from auditor.audit.materials import Materials
from auditor.audit.record.events import (
    DataRead,
    Drawn,
    Event,
    ProviderLost,
    ProviderMisbehaved,
    RunResumed,
    RunStarted,
    SeedDisclosed,
    SubRunJudged,
)
from auditor.audit.record.findings import ProviderVerdict
from auditor.audit.record.journal import Journal
from auditor.audit.record.state import AuditState
from auditor.audit.selection import Selection
from auditor.audit.sequential import is_unsure, primary_is_flagged
from auditor.audit.status_stream import follow
from auditor.audit.thresholds import recorded, thresholds_of
from auditor.audit.verdicts import judge_providers
from auditor.audit.workspace import Workspace
from auditor.base.hostile_text import cleaned
from auditor.base.seeds import Drawer, Seeds, own_training_seed, shared_training_seed
from auditor.decisions.agreement import disagree
from auditor.job.model import Job
from auditor.planning.choice import assumptions_of, choose
from auditor.planning.plan import boundaries
from auditor.providers.protocol import Commitment, RunRequest, RunStatus
from auditor.store import StoreError

MAX_RECORDED_CLASSES = 1_000


class Session:
    """What the parts of the engine do in an audit. All that changes is in the journal.

    Statistics are computed in threads: they take seconds in long audits, and providers must be answered meanwhile.

    Args:
        run: its id.
        job: what is audited.
        journal: events and state.
        connections: the providers.
        workspace: the job's program on this machine.
        selection: secret draws.
        folder: where the run's files are.
        pause: set when somebody wants the audit to stop after the present sub-run.

    Attributes:
        boundaries: the steps at which checkpoints are committed, 0 first.
        budget: how the rate of false positives is divided.
        settled: set when the primary is flagged in a job that is to stop early.
    """

    def __init__(
        self,
        run: str,
        job: Job,
        journal: Journal,
        connections: Connections,
        workspace: Workspace,
        selection: Selection,
        folder: Path,
        pause: asyncio.Event,
    ) -> None:
        self.run = run
        self.job = job
        self.connections = connections
        self.pause = pause
        self.settled = asyncio.Event()
        self.boundaries = boundaries(job.training.steps, job.audit.sub_run_steps)
        self._journal = journal
        self._workspace = workspace
        self._selection = selection
        self._folder = folder
        self._choice = choose(job)
        self._assumptions = assumptions_of(job)
        self.budget = self._choice.budget

    @property
    def state(self) -> AuditState:
        """The state after the latest event."""
        return self._journal.state

    @property
    def primary(self) -> Connection:
        """The provider that trains the whole job."""
        return self.connections[self.job.primary.name]

    def write(self, event: Event) -> None:
        """Make an event durable and part of the state."""
        self._journal.write(event)

    async def begin(self, materials: Materials) -> None:
        """Record that the audit begins or goes on, and which providers are there.

        Raises:
            StoreError: there is no room for checkpoints.
        """
        self._check_disk()
        if self.state.started is None:
            self.write(self._started(materials))
            self.write(self._data_read())
        else:
            self.write(RunResumed())
        for connection in self.connections:
            self.write(connection.greeting)
        await self._settle()

    # Providers

    def lost(self, connection: Connection) -> str | None:
        """Why a provider was given up; None while it was not."""
        return self.state.provider(connection.name).lost

    @property
    def reachable(self) -> list[Connection]:
        """The providers that were not given up."""
        return [connection for connection in self.connections if self.lost(connection) is None]

    def lose(self, connection: Connection, reason: object) -> None:
        """Go on without a provider."""
        if self.lost(connection) is None:
            self.write(ProviderLost(connection.name, cleaned(reason)))

    def give_up(self, connection: Connection, reason: Exception) -> None:
        """Go on without a provider; unless it is local and failed because this machine's disk is full.

        Raises:
            StoreError: the disk is full, so that nobody is to blame and nothing can go on.
        """
        self.excuse(connection)
        self.lose(connection, reason)

    def excuse(self, connection: Connection) -> None:
        """Make sure that a provider did not fail because this machine's disk is full.

        Raises:
            StoreError: the provider is local, and the disk is full.
        """
        if connection.ours:
            self._check_disk()

    def blame(self, connection: Connection, sub_run: int | None, reason: object) -> None:
        """Record that a provider did what an honest one never does."""
        self.write(ProviderMisbehaved(connection.name, sub_run, cleaned(reason)))

    @property
    def needed(self) -> int:
        """How many providers an audit takes at least, the primary among them."""
        return min(3, self.job.participants)

    @property
    def has_enough(self) -> bool:
        """Whether the primary is there, and others to compare it with."""
        return self.lost(self.primary) is None and len(self.reachable) >= self.needed

    # Executions

    def request(self, connection: Connection, execution: str, start: str | None, first: int, last: int) -> RunRequest:
        """The request to train from boundary `first` to boundary `last`, starting from the blob `start`.

        Without `start` the provider draws its own initial state, and commits to that, too.
        """
        job, draws = self.job, start is None
        seed = self._training_seed(connection)
        return RunRequest(
            id=execution,
            task=self.connections.task,
            training=job.training.model_copy(update={"initial": None}),  # the start is a checkpoint that is sent
            dataset_digest=self._workspace.program.digest,
            part_digests=self._workspace.program.part_digests,
            start=start,
            start_step=self.boundaries[first],
            boundaries=self.boundaries[first + (not draws) : last + 1],
            sub_run_steps=job.audit.sub_run_steps,
            seed=seed,
            disclose=job.primary_discloses and seed is None,
            provider=connection.name,
        )

    def follow(self, connection: Connection, request: RunRequest) -> AsyncIterator[RunStatus]:
        """The statuses of a run as they come (see `status_stream.follow`)."""
        return follow(
            connection.client,
            request,
            stall_seconds=self.job.audit.stall_seconds,
            waiting_seconds=self.job.audit.waiting_seconds,
            attack=connection.attack,
            signing_key=self.state.provider(connection.name).signing_key,
        )

    def checked_signature(self, connection: Connection, commitment: Commitment) -> str | None:
        """The signature of a commitment that came by `follow`; None where there is no key that it was checked with."""
        return commitment.signature if self.state.provider(connection.name).signing_key is not None else None

    async def take_up_seeds(self) -> None:
        """Have the client's own executions use what was tossed, or what the primary disclosed to an earlier process."""
        if (coin := self.state.coin) is not None:
            await asyncio.to_thread(self._workspace.draw_from, coin)
        elif (disclosed := self.state.disclosed) is not None:
            await asyncio.to_thread(self._workspace.draw_with, disclosed)

    async def disclosed(self, seed: int) -> None:
        """Record the seed that the primary drew for all, and use it."""
        self.write(SeedDisclosed(self.primary.name, str(seed)))
        await self.take_up_seeds()

    # The draw, the decision and the verdicts

    async def draw(self, sub_run: int) -> bool:
        """Draw whether a sub-run is replicated, once the boundary behind it is committed, and record it."""
        taken = bisect_left(self.state.replicated, sub_run)
        unsure = self.job.audit.replicated_at_most is not None and await asyncio.to_thread(
            is_unsure, self.state, self._choice, self._assumptions
        )
        replicated = self._selection.replicated(sub_run, taken, unsure=unsure)
        self.write(Drawn(sub_run, replicated))
        return replicated

    def replica_order(self, sub_run: int) -> list[str]:
        """The providers other than the primary, in the order that was drawn for a sub-run."""
        return self._selection.replica_order(sub_run)

    def disagree(self, sub_run: int) -> bool:
        """Whether the models of two providers differ by more than their job explains."""
        return any(disagree(matrix, self._assumptions) for matrix in self.state.sub_run(sub_run).matrices)

    async def judge(self, sub_run: int) -> None:
        """Judge the providers of a sub-run whose models were measured."""
        state, choice = self.state, self._choice
        judgements = await asyncio.to_thread(choice.decision.judge, state.matrices(), self._assumptions)
        thresholds = thresholds_of(judgements, choice, self._assumptions)
        own = tuple(recorded(judgement, thresholds) for judgement in judgements if judgement.sub_run == sub_run)
        self.write(SubRunJudged(sub_run, own))
        await self._settle()

    async def verdicts(self) -> list[ProviderVerdict]:
        """The verdicts on all providers, once no more sub-runs come."""
        # Where the audit stopped for what it had found so far, no further look is due.
        ended = not self.settled.is_set()
        return await asyncio.to_thread(judge_providers, self.state, self._choice, self._assumptions, ended=ended)

    async def _settle(self) -> None:
        """Take note where the job is to stop early and the primary is flagged by what is known."""
        if self.job.audit.ends_when_flagged and not self.settled.is_set():
            flagged = await asyncio.to_thread(primary_is_flagged, self.state, self._choice, self._assumptions)
            if flagged:
                self.settled.set()

    def _started(self, materials: Materials) -> RunStarted:
        job, choice = self.job, self._choice
        return RunStarted(
            name=job.name,
            primary=job.primary.name,
            replicas=tuple(provider.name for provider in job.others),
            steps=job.training.steps,
            sub_run_steps=job.audit.sub_run_steps,
            sub_runs=job.sub_runs,
            decision=choice.decision.name,
            reason=choice.reason,
            warnings=(*choice.warnings, *self.connections.warnings),
            materials=materials.found,
            simulated=job.simulated,
        )

    def _data_read(self) -> DataRead:
        inventory = self._workspace.program.inventory
        classes = tuple(
            replace(known, name=cleaned(known.name, 100)) for known in inventory.classes[:MAX_RECORDED_CLASSES]
        )
        remarks = tuple(replace(remark, text=cleaned(remark.text)) for remark in inventory.remarks)
        return DataRead(
            inventory.training,
            inventory.held_out,
            cleaned(inventory.sample, 200),
            len(inventory.classes),
            classes,
            remarks,
        )

    def _training_seed(self, connection: Connection) -> int | None:
        """The training seed that the client gives a provider; None where the provider draws it."""
        audit, state = self.job.audit, self.state
        if audit.drawn_by is Drawer.PROVIDER:
            return state.disclosed if audit.seeds is Seeds.SHARED else None
        root = state.coin if audit.drawn_by is Drawer.COIN else self.job.seed
        if root is None:
            raise RuntimeError("the toss comes before every request")
        return shared_training_seed(root) if audit.seeds is Seeds.SHARED else own_training_seed(root, connection.name)

    def _check_disk(self) -> None:
        """Make sure that there is room for the next checkpoints."""
        needed, free = 2 * self._workspace.schema.size, shutil.disk_usage(self._folder).free
        if free < needed:
            raise StoreError(
                f"the disk that holds {self._folder} is full: {free:,} bytes are free, and one checkpoint of this job "
                f"takes {needed // 2:,}. Free some space, or set AUDITOR_HOME to a folder on another disk."
            )
