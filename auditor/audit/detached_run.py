"""Runs in separate processes, which go on when the process that started them ends."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from auditor.audit.lineage import pinned
from auditor.base.hostile_text import cleaned
from auditor.job.model import Job
from auditor.store import RunRecord, Store

TAIL_BYTES = 4096
NICE = 5


class DetachedRun:
    """The process that executes a run, as far as this process started it.

    Its log is kept open, because a run that could not be prepared takes its folder with it when it is forgotten.
    """

    def __init__(self, run: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.run = run
        self._process = process
        self._log = log

    @property
    def ended(self) -> int | None:
        """The exit code; None while it lives."""
        return self._process.poll()

    def last_words(self, lines: int = 8) -> list[str]:
        """The end of what it wrote, cleaned."""
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), TAIL_BYTES, max(0, size - TAIL_BYTES)).decode(errors="replace")
        return [line for line in map(cleaned, text.splitlines()) if line][-lines:]


def start_run(store: Store, job: Job, source: str | Path) -> tuple[RunRecord, DetachedRun]:
    """Begin a run and have it executed by a process of its own.

    Raises:
        StoreError: the store cannot be written.
        OSError: no process can be started.
    """
    job = pinned(job, store)
    record = store.create_run(job.name, job.model_dump_json(), str(source), job.training.initial_run)
    return record, execute_detached(store, record.id)


def execute_detached(store: Store, run: str) -> DetachedRun:
    """Have a run executed, from its beginning or from where it stopped, by the headless command.

    Raises:
        StoreError: the store cannot be written.
        OSError: no process can be started.
    """
    store.clear_requests(run)
    log = store.open_log(run)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "auditor", "resume", run],  # -P: nothing is imported from the working folder
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=os.environ | {"AUDITOR_HOME": str(store.folder), "NO_COLOR": "1"},
        start_new_session=True,  # neither the terminal's end nor its Ctrl-C is the run's
    )
    with suppress(OSError):
        # Local providers take all the processors there are; the interface comes first.
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return DetachedRun(run, process, log)
