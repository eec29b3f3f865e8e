"""Checkpoints that no run needs any more: which these are, what keeps the others, and their removal.

A run that ended needs the model that it delivered, and what speaks against somebody. A run that can be resumed needs
all that it has. Any run, ended or not, needs what it started from: without that nobody can verify it.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from auditor.audit.cure import verified_boundary
from auditor.audit.lineage import delivered_checkpoint
from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.audit.stored_job import stored_job
from auditor.job.errors import JobError
from auditor.store import DamagedRun, RunRecord, Store, StoreError
from auditor.store.blobs import DIGEST, PARTIAL

Why = Literal["delivered", "evidence", "another run starts from it", "the run can be resumed"]
"""What keeps a checkpoint."""

BLOBS = "blobs"
LEFT_OVER = (f"{BLOBS}/.incoming-*", ".rehearsal-*/**/*")
"""Files in the folder of a run that a process left which was killed; no other goes on with them."""
LEFT_OVER_AT_THE_END = (f"{BLOBS}/{PARTIAL}*", "providers/*/clients/*/blobs/*")
"""The same of a run that ended: parts of downloads, and what providers keep that the client started itself."""


@dataclass(frozen=True)
class Wanted:
    """What is to be pruned.

    Attributes:
        runs: their ids; None for all.
        older_than: only runs of which nothing was heard for so long.
        delivered: delivered models go, too.
        evidence: what speaks against somebody goes, too.
    """

    runs: Collection[str] | None = None
    older_than: timedelta = timedelta()
    delivered: bool = False
    evidence: bool = False


@dataclass(frozen=True)
class PrunableRun:
    """What a run would give up, and what it keeps.

    Attributes:
        run: its id; that of an update has its number behind it.
        files: that would go.
        bytes: that would be free.
        kept: how many checkpoints are kept for each reason.
    """

    run: str
    files: tuple[Path, ...]
    bytes: int
    kept: Mapping[Why, int] = field(default_factory=dict)

    @property
    def checkpoints(self) -> int:
        """How many whole checkpoints are among the files."""
        return sum(DIGEST.fullmatch(file.name) is not None for file in self.files)


@dataclass(frozen=True)
class Prunable:
    """What would be pruned.

    Attributes:
        runs: those that would give up something.
        copies: files that would share the room of an equal one in another run: which, and the equal one.
        copied_bytes: that would be free by that.
    """

    runs: tuple[PrunableRun, ...]
    copies: tuple[tuple[Path, Path], ...]
    copied_bytes: int

    @property
    def files(self) -> int:
        """How many files would go."""
        return sum(len(run.files) for run in self.runs)

    @property
    def bytes(self) -> int:
        """How many bytes would be free."""
        return sum(run.bytes for run in self.runs) + self.copied_bytes


def prunable(store: Store, wanted: Wanted) -> Prunable:
    """What no run needs.

    Runs that a process executes, and runs that cannot be read, keep all that they have.

    Raises:
        StoreError: the store cannot be read.
    """
    known = _Known(store)
    found: dict[str, tuple[list[Path], Counter[Why]]] = {}
    for run in known.records:
        if known.is_wanted(run, wanted):
            kept = known.kept(run.id, wanted)
            gone = [file for file in known.checkpoints(run.id) if file.name not in kept] + known.left_over(run.id)
            if gone:
                found[run.id] = gone, Counter(kept.values())
    freed = _freed([file for gone, _ in found.values() for file in gone])
    runs = tuple(
        PrunableRun(run, tuple(gone), sum(freed.get(file, 0) for file in gone), kept)
        for run, (gone, kept) in found.items()
    )
    copies = known.copies({file for run in runs for file in run.files}) if wanted.runs is None else []
    return Prunable(runs, tuple(copies), sum(_freed([file for file, _ in copies]).values()))


def prune(store: Store, shown: Prunable, wanted: Wanted) -> Prunable:
    """Remove what was shown, as far as still nobody needs it; returns what was removed.

    Raises:
        StoreError: the store cannot be read.
    """
    now = prunable(store, wanted)
    allowed = {file for run in shown.runs for file in run.files}
    runs = []
    for run in now.runs:
        files = tuple(file for file in run.files if file in allowed)
        with suppress(StoreError), store.lock(run.run):  # one that was resumed meanwhile is left alone
            freed = sum(_freed(files).values())
            for file in files:
                file.unlink(missing_ok=True)
                if file.parent != store.run_folder(run.run) / BLOBS:
                    with suppress(OSError):  # it is not empty yet
                        file.parent.rmdir()
            runs.append(PrunableRun(run.run, files, freed, run.kept))
    linked, bytes_linked = [], 0
    for copy, equal in now.copies if shown.copies else ():
        with suppress(OSError, StoreError), store.lock(copy.parent.parent.name):
            size = sum(_freed([copy]).values())
            if _link(copy, equal):
                linked.append((copy, equal))
                bytes_linked += size
    return Prunable(tuple(runs), tuple(linked), bytes_linked)


class _Known:
    """All runs, as they are now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.records: list[RunRecord] = []
        self._states: dict[str, AuditState] = {}
        self._busy = set[str]()
        self._needed = defaultdict[str, set[str]](set)
        self._goes_on = set[str]()
        for chain in store.runs():
            updates = store.updates(chain.id)
            self.records += [chain, *updates]
            for run in (chain, *updates):
                self._read(run)
            if chain.id in self._busy:
                self._busy |= {update.id for update in updates}

    def _read(self, run: RunRecord) -> None:
        store = self._store
        try:
            self._states[run.id] = state = fold(store.events(run.id))
            training = stored_job(run).training
        except DamagedRun:
            self._busy.add(run.id)
            return
        if store.is_running(run.id):
            self._busy.add(run.id)
        if state.finished is None or state.can_go_on:
            self._goes_on.add(run.id)
            for update in state.updates.values():  # the next starts from the last, which may be done again
                if update.finished is not None and update.finished.digest is not None:
                    self._needs(store.blobs(update.finished.run).path(update.finished.digest))
        if training.initial is not None and training.initial_run is None:
            self._needs(Path(training.initial))
        for start in (training.initial_run, run.parent):
            if start is not None:
                with suppress(JobError, StoreError):  # it is gone already
                    self._needs(delivered_checkpoint(store.find_run(start).id, store))

    def _needs(self, path: Path) -> None:
        runs = self._store.folder / "runs"
        with suppress(ValueError, OSError):
            run = path.resolve().relative_to(runs.resolve()).parts[0]
            self._needed[run].add(path.name)

    def is_wanted(self, run: RunRecord, wanted: Wanted) -> bool:
        """Whether a run is among those that may be pruned."""
        if run.id in self._busy:
            return False
        if wanted.runs is not None and not {run.id, run.chain} & set(wanted.runs):
            return False
        heard = self._states[run.id].last_time or datetime.fromisoformat(run.created)
        return datetime.now(UTC) - heard >= wanted.older_than

    def checkpoints(self, run: str) -> list[Path]:
        """The checkpoints of a run."""
        return [file for file in self._found(run, f"{BLOBS}/*") if DIGEST.fullmatch(file.name)]

    def left_over(self, run: str) -> list[Path]:
        """What a killed process left, and nobody goes on with."""
        patterns = LEFT_OVER if run in self._goes_on else LEFT_OVER + LEFT_OVER_AT_THE_END
        return [file for pattern in patterns for file in self._found(run, pattern)]

    def _found(self, run: str, pattern: str) -> list[Path]:
        with suppress(OSError):
            return sorted(file for file in self._store.run_folder(run).glob(pattern) if file.is_file())
        return []

    def kept(self, run: str, wanted: Wanted) -> dict[str, Why]:
        """Why checkpoints of a run are kept, by their digests."""
        state, there = self._states[run], [file.name for file in self.checkpoints(run)]
        reasons: list[tuple[Why, Collection[str]]] = [
            ("the run can be resumed", there if run in self._goes_on else ()),
            ("another run starts from it", self._needed[run]),
            ("delivered", () if wanted.delivered or state.delivered is None else (state.delivered.digest,)),
            ("evidence", () if wanted.evidence else set(evidence(state))),
        ]
        return {name: why for name in there for why, names in reversed(reasons) if name in names}

    def copies(self, gone: Collection[Path]) -> list[tuple[Path, Path]]:
        """Files with the name of one in another run, on the same disk, that are no links to it yet."""
        first: dict[tuple[str, int], Path] = {}
        found = []
        for run in sorted(self.records, key=lambda run: run.created):
            for file in () if run.id in self._busy else self.checkpoints(run.id):
                if file in gone:
                    continue
                status = file.stat()
                equal = first.setdefault((file.name, status.st_dev), file)
                if equal.stat().st_ino != status.st_ino:
                    found.append((file, equal))
        return found


def evidence(state: AuditState) -> Iterator[str]:
    """The digests of checkpoints that speak against somebody, and of the last that was verified before.

    These are the ends and starts of replicated sub-runs in which somebody deviated or misbehaved, or models are equal;
    of all replicated sub-runs, where somebody was flagged and no single one shows why, or the audit is inconclusive.
    """
    finished = state.finished
    if finished is None or finished.outcome == "clean":
        return
    misbehaved = {index for provider in state.providers.values() for index, _ in provider.misbehaviour}
    telling = {
        index
        for index, sub_run in state.sub_runs.items()
        if index in misbehaved or sub_run.equal or any(one.deviates for one in sub_run.judgements or ())
    }
    deviating = {
        one.provider for sub_run in state.sub_runs.values() for one in sub_run.judgements or () if one.deviates
    }
    flagged = {verdict.name for verdict in finished.providers if verdict.verdict == "flagged"}
    if finished.outcome != "flagged" or flagged - deviating:
        telling |= {index for index, sub_run in state.sub_runs.items() if sub_run.replicated}
    boundaries = {0, verified_boundary(state, state.started.primary if state.started else "")}
    for index in telling:
        boundaries |= {index, index + 1}
        yield from (one.digest for one in state.sub_run(index).replicas.values() if one.digest is not None)
    yield from (known.digest for index, known in state.boundaries.items() if index in boundaries)
    if None in misbehaved:  # somebody showed something else than it had committed to, or would not
        yield from (known.digest for known in state.boundaries.values())


def _freed(files: Sequence[Path]) -> dict[Path, int]:
    """The bytes that are free once all of these are gone, by file: some have a name in another run, too."""
    names: dict[tuple[int, int], list[tuple[Path, os.stat_result]]] = defaultdict(list)
    for file in files:
        with suppress(OSError):
            status = file.stat()
            names[status.st_dev, status.st_ino].append((file, status))
    return {one[0][0]: one[0][1].st_size for one in names.values() if len(one) >= one[0][1].st_nlink}


def _link(copy: Path, equal: Path) -> bool:
    """Have a file share the room of an equal one; whether both were sound, and it does."""
    for one in (copy, equal):
        with one.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != one.name:
                return False
    beside = copy.with_name(f".incoming-{copy.name}")
    beside.unlink(missing_ok=True)
    os.link(equal, beside)
    beside.replace(copy)
    return True
