"""The SQLite database: runs, their events, what is asked of them, and registered providers.

One process writes a run while any number read it.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from auditor.store.blobs import BlobFolder
from auditor.store.database_file import DamagedDatabase, DatabaseFile
from auditor.store.errors import DamagedRun, StoreError, UnknownRun
from auditor.store.home import home
from auditor.store.payload import read_payload, write_payload
from auditor.store.private_files import make_folder, open_file
from auditor.store.records import Action, EventRecord, RegisteredProvider, RunRecord

RUN_COLUMNS = "id, created, job, source, secret, parent, chain, position"
PROVIDER_COLUMNS = "name, endpoint, price_per_hour, added, token_file, fingerprint, signing_key"

LOCK_SECONDS = 1.0
"""How long a lock is waited for: a process that asks whether a run is being executed holds it for an instant."""


class Store:
    """Runs, events and providers under one folder.

    Args:
        folder: where; `home()` if not given. It is created when something is first written.

    Raises:
        StoreError: the folder or the database cannot be opened, or a newer version of `auditor` made it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home()
        self._file = DatabaseFile(self.folder)

    def close(self) -> None:
        """Let go of the database."""
        self._file.close()

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

    def create_run(self, name: str, job: str, source: str, parent: str | None = None) -> RunRecord:
        """Begin a run, with its own 256 secret bits."""
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "run"
        shown = source.encode(errors="backslashreplace").decode()  # a file's name need not be text
        run = RunRecord(f"{slug}-{secrets.token_hex(3)}", _now(), job, shown, secrets.token_bytes(32), parent)
        self._insert(run)
        return run

    def create_update(self, chain: RunRecord, update: int, job: str, parent: str | None) -> RunRecord:
        """Begin the run of an update of an evolving job, with its own 256 secret bits.

        Args:
            chain: the run of the evolving job.
            update: which update; 0 is the first training.
            job: of the update, as JSON.
            parent: the run of the update before.
        """
        secret = secrets.token_bytes(32)
        run = RunRecord(f"{chain.id}.{update}", _now(), job, chain.source, secret, parent, chain.id, update)
        self._insert(run)
        return run

    def _insert(self, run: RunRecord) -> None:
        with self._file.writing() as connection:
            connection.execute(
                f"INSERT INTO runs ({RUN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (run.id, run.created, run.job, run.source, run.secret, run.parent, run.chain, run.update),
            )

    def runs(self) -> list[RunRecord]:
        """All runs but those of updates, the newest first."""
        rows = self._file.read(f"SELECT {RUN_COLUMNS} FROM runs WHERE chain IS NULL ORDER BY created DESC, rowid DESC")
        return [RunRecord(*row) for row in rows]

    def updates(self, chain: str) -> list[RunRecord]:
        """The runs of the updates of an evolving job, in order."""
        rows = self._file.read(f"SELECT {RUN_COLUMNS} FROM runs WHERE chain = ? ORDER BY position", (chain,))
        return [RunRecord(*row) for row in rows]

    def find_run(self, text: str) -> RunRecord:
        """The run whose id is or starts with `text`; `last` is the newest.

        That of an update is its evolving job's with the update's number, as in `evolving-3f0a.2`.

        Raises:
            UnknownRun: there is none, or there are several.
        """
        runs = self.runs()
        if text == "last" and runs:
            return runs[0]
        whole, dot, update = text.rpartition(".")
        if dot and update.isdecimal():
            found = [run for run in self.updates(self.find_run(whole).id) if run.update == int(update)]
            if not found:
                raise UnknownRun(f"run {self.find_run(whole).id} has no update {update}.")
            return found[0]
        matches = [run for run in runs if run.id == text] or [run for run in runs if run.id.startswith(text)]
        if not matches or not text:
            raise UnknownRun(f"there is no run {text!r}. `auditor runs` lists all runs.")
        if len(matches) > 1:
            some = ", ".join(run.id for run in matches[:3])
            more = " and others" if len(matches) > 3 else ""
            raise UnknownRun(f"{text!r} could be any of {some}{more}; give more of the id.")
        return matches[0]

    def append(self, run: str, kind: str, payload: Mapping[str, Any]) -> EventRecord:
        """Add an event to a run. When this returns, the event survives a crash."""
        now = _now()
        text = write_payload(payload)
        with self._file.writing() as connection:
            (seq,) = connection.execute(
                "INSERT INTO events SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ? FROM events WHERE run = ? "
                "RETURNING seq",
                (run, now, kind, text, run),
            ).fetchone()
        return EventRecord(run, seq, now, kind, read_payload(run, seq, text.encode()))

    def events(self, run: str, after: int = 0) -> list[EventRecord]:
        """The events of a run with a sequence number over `after`, in order.

        Raises:
            DamagedRun: one of them cannot be read.
            StoreError: the store cannot be read now.
        """
        return self._events(run, "seq > ?", after, "ASC")

    def last_events(self, kind: str) -> list[EventRecord]:
        """The latest event of a kind of every run that has one; what cannot be read is left out.

        Raises:
            StoreError: the store cannot be read now.
        """
        found = []
        for (run,) in self._file.read("SELECT id FROM runs ORDER BY created DESC, rowid DESC"):
            with suppress(DamagedRun):
                found += self._events(run, "kind = ?", kind, "DESC LIMIT 1")
        return sorted(found, key=lambda event: event.time)

    def _events(self, run: str, condition: str, value: object, order: str) -> list[EventRecord]:
        try:
            rows = self._file.read(
                "SELECT seq, time, kind, CAST(payload AS BLOB) FROM events "
                f"WHERE run = ? AND {condition} ORDER BY seq {order}",
                (run, value),
            )
        except DamagedDatabase as error:
            raise DamagedRun(run, f"its events cannot be read ({error.reason})") from None
        return [EventRecord(run, seq, when, kind, read_payload(run, seq, payload)) for seq, when, kind, payload in rows]

    def event(self, run: str, seq: int) -> EventRecord | None:
        """One event of a run; None where there is none of this number.

        Raises:
            DamagedRun: it cannot be read.
            StoreError: the store cannot be read now.
        """
        return next(iter(self._events(run, "seq = ?", seq, "ASC")), None)

    def version(self) -> int:
        """A number that is another one once another process, or another `Store`, has changed something."""
        return int(self._file.read("PRAGMA data_version")[0][0])

    def last_seqs(self) -> dict[str, int]:
        """The number of the latest event of every run, 0 before its first."""
        rows = self._file.read("SELECT id, (SELECT COALESCE(MAX(seq), 0) FROM events WHERE run = runs.id) FROM runs")
        return {run: int(seq) for run, seq in rows}

    def last_seq(self, run: str) -> int | None:
        """The number of a run's latest event, 0 before the first; None when there is no such run."""
        rows = self._file.read(
            "SELECT (SELECT COALESCE(MAX(seq), 0) FROM events WHERE run = runs.id) FROM runs WHERE id = ?", (run,)
        )
        return int(rows[0][0]) if rows else None

    def run_size(self, run: str) -> int:
        """The bytes that deleting a run would free: those of its files."""
        total = 0
        for known in (run, *(update.id for update in self.updates(run))):
            for file in self.run_folder(known).rglob("*"):
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
        """Forget a run with its events and files; one of an evolving job with those of all its updates."""
        folders = [self.run_folder(run), *(self.run_folder(update.id) for update in self.updates(run))]
        with self._file.writing() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self, run: str) -> Iterator[None]:
        """Be the only process that executes this run; the system lets go when the process ends, however.

        Raises:
            StoreError: another process executes it.
        """
        folder = self.run_folder(run)
        make_folder(folder)
        with open_file(folder / "lock", os.O_WRONLY) as file:
            if not _locked(file, fcntl.LOCK_EX, LOCK_SECONDS):
                raise StoreError(f"another process is executing run {run}; `auditor show {run}` shows its progress.")
            yield

    def is_running(self, run: str) -> bool:
        """Whether some process executes this run now."""
        try:
            with (self.run_folder(run) / "lock").open("rb") as file:
                return not _locked(file, fcntl.LOCK_SH, 0.0)
        except FileNotFoundError:
            return False

    def open_log(self, run: str) -> IO[bytes]:
        """Open the file that a process which executes the run writes to; what is written goes to its end.

        Raises:
            OSError: it cannot be opened.
        """
        folder = self.run_folder(run)
        make_folder(folder)
        return open_file(folder / "log.txt", os.O_RDWR | os.O_APPEND)

    def request(self, run: str, action: Action) -> None:
        """Ask the process that executes a run to stop: `pause` after the current sub-run, `cancel` at once.

        Raises:
            StoreError: the run is gone, or the store cannot be written.
        """
        with self._file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO requests VALUES (?, ?, ?)", (run, action, _now()))

    def requests(self, run: str) -> set[str]:
        """What is asked of a run and not withdrawn."""
        return {action for (action,) in self._file.read("SELECT action FROM requests WHERE run = ?", (run,))}

    def clear_requests(self, run: str) -> None:
        """Withdraw all that was asked of a run; done when it is resumed."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM requests WHERE run = ?", (run,))

    def providers(self) -> list[RegisteredProvider]:
        """All registered providers, by name."""
        rows = self._file.read(f"SELECT {PROVIDER_COLUMNS} FROM providers ORDER BY name")
        return [RegisteredProvider(*row) for row in rows]

    def register_provider(
        self,
        name: str,
        endpoint: str,
        price_per_hour: float | None = None,
        *,
        token_file: str | None = None,
        fingerprint: str | None = None,
        signing_key: str | None = None,
    ) -> RegisteredProvider:
        """Register a provider, or change the one that has this name; since when it is known stays.

        So does its signing key, where none is given and it is still behind the same endpoint and certificate.
        """
        with self._file.writing() as connection:
            row = connection.execute(
                f"INSERT INTO providers ({PROVIDER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET price_per_hour = excluded.price_per_hour, "
                "signing_key = CASE WHEN excluded.signing_key IS NULL AND endpoint = excluded.endpoint "
                "AND fingerprint IS excluded.fingerprint THEN signing_key ELSE excluded.signing_key END, "
                "endpoint = excluded.endpoint, token_file = excluded.token_file, fingerprint = excluded.fingerprint "
                f"RETURNING {PROVIDER_COLUMNS}",
                (name, endpoint, price_per_hour, _now(), token_file, fingerprint, signing_key),
            ).fetchone()
        return RegisteredProvider(*row)

    def pin_signing_key(self, endpoint: str, fingerprint: str | None, signing_key: str) -> bool:
        """Keep the first signing key that was seen behind an endpoint; returns whether a provider had none before."""
        change = "UPDATE providers SET signing_key = ? WHERE endpoint = ? AND fingerprint IS ? AND signing_key IS NULL"
        with self._file.writing() as connection:
            return connection.execute(change, (signing_key, endpoint, fingerprint)).rowcount > 0

    def remove_provider(self, name: str) -> bool:
        """Forget a registered provider; returns whether there was one. Runs that used it stay as they are."""
        with self._file.writing() as connection:
            return connection.execute("DELETE FROM providers WHERE name = ?", (name,)).rowcount > 0


def _locked(file: IO[bytes], kind: int, patience: float) -> bool:
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
