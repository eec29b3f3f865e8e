"""The SQLite database: runs and their events. One process writes a run while any number read it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.store.blobs import BlobFolder
from auditor.store.home import home
from auditor.store.records import EventRecord, RunRecord

VERSION = 1
"""The layout below; kept in the database's `user_version`."""

_LAYOUT = """
CREATE TABLE runs (
    id      TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    job     TEXT NOT NULL,
    source  TEXT NOT NULL,
    secret  BLOB NOT NULL
) STRICT;
CREATE TABLE events (
    run     TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    time    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
"""


class StoreError(Exception):
    """The store cannot be used as asked; the message says why and what to do."""


class UnknownRun(StoreError):  # noqa: N818 - the name reads as what it is
    """No run, or more than one, has the given id."""


class Store:
    """Runs and events under one folder.

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
        if not matches:
            raise UnknownRun(f"there is no run {text!r}; `auditor runs` lists those there are.")
        if len(matches) > 1:
            some = ", ".join(run.id for run in matches[:3])
            raise UnknownRun(f"{text!r} could be {some}{' and others' if len(matches) > 3 else ''}; write more of it.")
        return matches[0]

    def append(self, run: str, kind: str, payload: Mapping[str, Any]) -> EventRecord:
        """Add an event to a run. When this returns, the event survives a crash."""
        time = _now()
        text = json.dumps(payload, allow_nan=False, separators=(",", ":"))
        with self._writing() as connection:
            (seq,) = connection.execute(
                "INSERT INTO events SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ? FROM events WHERE run = ? "
                "RETURNING seq",
                (run, time, kind, text, run),
            ).fetchone()
        return EventRecord(run, seq, time, kind, json.loads(text))

    def events(self, run: str, after: int = 0) -> list[EventRecord]:
        """The events of a run with a sequence number over `after`, in order."""
        rows = self._connection.execute(
            "SELECT run, seq, time, kind, payload FROM events WHERE run = ? AND seq > ? ORDER BY seq",
            (run, after),
        )
        return [EventRecord(run, seq, time, kind, json.loads(payload)) for run, seq, time, kind, payload in rows]

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
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(
                    f"run {run} is being executed by another process; `auditor show {run}` shows how far it is."
                ) from None
            yield

    def is_running(self, run: str) -> bool:
        """Whether some process executes this run now."""
        if not (self.run_folder(run) / "lock").exists():
            return False
        try:
            with self.lock(run):
                return False
        except StoreError:
            return True

    def _open(self) -> sqlite3.Connection:
        path = self.folder / "auditor.db"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._migrate(connection, path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"the store {path} cannot be opened: {error}. Set AUDITOR_HOME to a folder that can be written."
            ) from error
        return connection

    @staticmethod
    def _migrate(connection: sqlite3.Connection, path: Path) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"the store {path} was made by a newer version of auditor (layout {version}; this one knows "
                f"{VERSION}). Update auditor, or set AUDITOR_HOME to another folder."
            )
        if version == 0:
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in filter(str.strip, _LAYOUT.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
            os.chmod(path, 0o600)  # noqa: PTH101 - it holds the runs' secrets

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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
