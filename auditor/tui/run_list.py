"""All runs at a glance, read again only where something may have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.store import Store

if TYPE_CHECKING:
    from auditor.report.overview import RunSummary

OPEN = ("starting", "running", "stopped", "reading…")
"""The states of runs that have not ended."""


class RunList:
    """Keeps what was read of each run. A store of many runs is first read at the ends of those that have ended.

    Args:
        folder: of the store.
        starting: whether a run's process lives and has written nothing since the event of that number.
    """

    def __init__(self, folder: Path, starting: Callable[[str, int], bool]) -> None:
        self._folder = folder
        self._starting = starting
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._version = -1
        self._known: dict[str, tuple[int, RunSummary]] = {}
        self._order: list[str] = []

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def read(self, tell: Callable[[list[RunSummary]], object]) -> None:
        """Look for news, and tell what there is: once in full, and before that without what takes long.

        Args:
            tell: is given all runs, the newest first; not called when nothing changed.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._lock:
            if self._store is None:
                self._store = Store(self._folder)
                self._version = -1
            version = self._store.version()
            if version == self._version:
                if self._look_at_open_runs(self._store):
                    tell(self._all())
                return
            self._read(self._store, tell)
            self._version = version

    def _all(self) -> list[RunSummary]:
        return [self._known[run][1] for run in self._order if run in self._known]

    def _look_at_open_runs(self, store: Store) -> bool:
        """Whether a run that goes on, or should, has begun or ended without an event."""
        changed = False
        for run, (seq, known) in self._known.items():
            if known.status in OPEN and (status := self._status(store, run, seq)) != known.status:
                self._known[run] = (seq, replace(known, status=status))
                changed = True
        return changed

    def _status(self, store: Store, run: str, seq: int) -> str:
        if store.is_running(run):
            return "running"
        return "starting" if self._starting(run, seq) else "stopped"

    def _read(self, store: Store, tell: Callable[[list[RunSummary]], object]) -> None:
        from auditor.report.overview import RunSummary, summarize, summarize_end

        runs, seqs = store.runs(), store.last_seqs()
        later = []
        for run in runs:
            seq, known = seqs.get(run.id, 0), self._known.get(run.id)
            if known is not None and known[0] == seq:
                continue
            found = summarize_end(store, run, seq) if seq else None
            if found is None:
                later.append((run, seq))
                found = known[1] if known is not None else RunSummary(
                    run.id, Path(run.source).stem, run.created, "reading…", (), 0, None, 0.0, None, run.source
                )  # fmt: skip
            self._known[run.id] = (seq, found)
        self._order = [run.id for run in runs]
        self._known = {run: known for run, known in self._known.items() if run in seqs}
        if len(later) > 1 or not later:
            tell(self._all())
        for run, seq in later:
            self._known[run.id] = (seq, summarize(store, run))
        self._look_at_open_runs(store)
        if later:
            tell(self._all())
