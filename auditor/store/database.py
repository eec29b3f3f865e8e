"""The SQLite database: runs, their events, what is asked of them, and registered providers.

One process writes a run while any number read it.
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from auditor.store.blobs import BlobFolder
from auditor.store.home import home
from auditor.store.layout import VERSION, NewerLayout, migrate
from auditor.store.records import Action, EventRecord, RegisteredProvider, RunRecord

LOCK_SECONDS = 1.0
"""How long a lock is waited for: whoever asks whether a run is being executed holds it for an instant."""


class StoreError(Exception):
    """The store cannot be used as asked; the message says why and what to do."""


class UnknownRun(StoreError):  # noqa: N818 - the name reads as what it is
    """No run, or more than one, has the given id."""


class Store:
    """Runs, events and providers under one folder.

    Args:
        folder: where; `home()` if not given. It is created when something is first written.

    Raises:
        StoreError: the folder or the database cannot be opened, or a newer version of `auditor` made it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home()
        self._connection = self._open()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def downloads(self) -> Path:
        """The folder that datasets are downloaded into."""
        return self.folder / "datasets"

    def create_run(self, name: str, job: str, source: str) -> RunRecord:
        """Begin a run, with 256 secret bits of its own."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "run"
        run = RunRecord(f"{slug}-{secrets.token_hex(3)}", _now(), job, source, secrets.token_bytes(32))
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                (run.id, run.created, run.job, run.source, run.secret),
            )
        return run

    def runs(self) -> list[RunRecord]:
        """All runs, the newest first."""
        rows = self._connection.execute(
            "SELECT id, created, job, source, secret FROM runs ORDER BY created DESC, rowid DESC"
        )
        return [RunRecord(*row) for row in rows]

    def find_run(self, text: str) -> RunRecord:
        """The run whose id is or starts with `text`; `last` is the newest.

        Raises:
            UnknownRun: there is none, or there are several.
        """
        runs = self.runs()
        if text == "last" and runs:
            return runs[0]
        matches = [run for run in runs if run.id == text] or [run for run in runs if run.id.startswith(text)]
        if not matches or not text:
            raise UnknownRun(f"there is no run {text!r}; `auditor runs` lists those there are.")
        if len(matches) > 1:
            some = ", ".join(run.id for run in matches[:3])
            raise UnknownRun(f"{text!r} could be {some}{' and others' if len(matches) > 3 else ''}; write more of it.")
        return matches[0]

    def append(self, run: str, kind: str, payload: Mapping[str, Any]) -> EventRecord:
        """Add an event to a run. When this returns, the event survives a crash."""
        now = _now()
        text = json.dumps(payload, allow_nan=False, separators=(",", ":"))
        with self._writing() as connection:
            (seq,) = connection.execute(
                "INSERT INTO events SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ? FROM events WHERE run = ? "
                "RETURNING seq",
                (run, now, kind, text, run),
            ).fetchone()
        return EventRecord(run, seq, now, kind, json.loads(text))

    def events(self, run: str, after: int = 0) -> list[EventRecord]:
        """The events of a run with a sequence number over `after`, in order."""
        rows = self._connection.execute(
            "SELECT run, seq, time, kind, payload FROM events WHERE run = ? AND seq > ? ORDER BY seq",
            (run, after),
        )
        return [EventRecord(run, seq, when, kind, json.loads(payload)) for run, seq, when, kind, payload in rows]

    def last_events(self, kind: str) -> list[EventRecord]:
        """The latest event of a kind of every run that has one."""
        rows = self._connection.execute(
            "SELECT run, MAX(seq), time, kind, payload FROM events WHERE kind = ? GROUP BY run ORDER BY time", (kind,)
        )
        return [EventRecord(run, seq, when, kind, json.loads(payload)) for run, seq, when, kind, payload in rows]

    def last_seq(self, run: str) -> int | None:
        """The number of a run's latest event, 0 before the first; None when there is no such run."""
        row = self._connection.execute(
            "SELECT (SELECT COALESCE(MAX(seq), 0) FROM events WHERE run = runs.id) FROM runs WHERE id = ?", (run,)
        ).fetchone()
        return None if row is None else int(row[0])

    def run_size(self, run: str) -> int:
        """The bytes that deleting a run would free: those of its files."""
        total = 0
        for file in self.run_folder(run).rglob("*"):
            with suppress(OSError):  # it may vanish while we look
                total += file.lstat().st_size
        return total

    def run_folder(self, run: str) -> Path:
        """Where the files of a run are."""
        return self.folder / "runs" / run

    def blobs(self, run: str) -> BlobFolder:
        """The checkpoints of a run that were opened or returned."""
        return BlobFolder(self.run_folder(run) / "blobs")

    def delete_run(self, run: str) -> None:
        """Forget a run with its events and files."""
        with self._writing() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
        shutil.rmtree(self.run_folder(run), ignore_errors=True)

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Be the only process that executes this run; the system lets go when the process ends, however.

        Raises:
            StoreError: another process executes it.
        """
        folder = self.run_folder(run)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as file:
            if not _locked(file, fcntl.LOCK_EX, LOCK_SECONDS):
                raise StoreError(
                    f"run {run} is being executed by another process; `auditor show {run}` shows how far it is."
                )
            yield

    def is_running(self, run: str) -> bool:
        """Whether some process executes this run now."""
        try:
            with (self.run_folder(run) / "lock").open("r") as file:
                return not _locked(file, fcntl.LOCK_SH, 0.0)
        except FileNotFoundError:
            return False

    def request(self, run: str, action: Action) -> None:
        """Ask whoever executes a run to stop: `pause` after the present sub-run, `cancel` at once.

        Raises:
            StoreError: the run is gone, or the store cannot be written.
        """
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO requests VALUES (?, ?, ?)", (run, action, _now()))

    def requests(self, run: str) -> set[str]:
        """What is asked of a run and not withdrawn."""
        return {action for (action,) in self._connection.execute("SELECT action FROM requests WHERE run = ?", (run,))}

    def clear_requests(self, run: str) -> None:
        """Withdraw all that was asked of a run; done when it is resumed."""
        with self._writing() as connection:
            connection.execute("DELETE FROM requests WHERE run = ?", (run,))

    def providers(self) -> list[RegisteredProvider]:
        """All registered providers, by name."""
        rows = self._connection.execute("SELECT name, endpoint, price_per_hour, added FROM providers ORDER BY name")
        return [RegisteredProvider(*row) for row in rows]

    def register_provider(self, name: str, endpoint: str, price_per_hour: float | None = None) -> RegisteredProvider:
        """Register a provider, or change the one that has this name; since when it is known stays."""
        with self._writing() as connection:
            row = connection.execute(
                "INSERT INTO providers VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                "endpoint = excluded.endpoint, price_per_hour = excluded.price_per_hour "
                "RETURNING name, endpoint, price_per_hour, added",
                (name, endpoint, price_per_hour, _now()),
            ).fetchone()
        return RegisteredProvider(*row)

    def remove_provider(self, name: str) -> bool:
        """Forget a registered provider; returns whether there was one. Runs that used it stay as they are."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM providers WHERE name = ?", (name,)).rowcount > 0

    def _open(self) -> sqlite3.Connection:
        path = self.folder / "auditor.db"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, path)
        except NewerLayout as error:
            raise StoreError(
                f"the store {path} was made by a newer version of auditor (layout {error.version}; this one knows "
                f"{VERSION}). Update auditor, or set AUDITOR_HOME to another folder."
            ) from None
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the store {path} cannot be opened: {error}. Set AUDITOR_HOME to a folder that can be written."
            ) from error
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        except sqlite3.Error as error:
            raise StoreError(
                f"the store in {self.folder} cannot be written: {error}. Free some space or check its "
                "permissions, then `auditor resume`."
            ) from error


def _locked(file: IO[str], kind: int, patience: float) -> bool:
    """Take a lock on an open file; False when another process keeps it for longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
