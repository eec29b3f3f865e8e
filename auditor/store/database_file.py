"""The file of the SQLite database: opened, brought to the present layout, read and written; errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auditor.store.errors import StoreError
from auditor.store.layout import VERSION, NewerLayout, migrate
from auditor.store.private_files import DATABASE, make_file, make_home

LEAST_BYTES = 512
"""Of any database; SQLite takes less for an empty one."""


class DamagedDatabase(StoreError):  # noqa: N818 - the name reads as what it is
    """The file is damaged, or is no database of auditor.

    Attributes:
        reason: what SQLite says of it.
    """

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class DatabaseFile:
    """An open database.

    Args:
        folder: that of the store; it is created.

    Raises:
        StoreError: the folder or the database cannot be opened, or a newer version of `auditor` made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = self._open()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def _path(self) -> Path:
        return self.folder / DATABASE

    def _open(self) -> sqlite3.Connection:
        try:
            make_home(self.folder)
            make_file(self._path)  # before SQLite would: its other files take their permissions from this one
            size = self._path.stat().st_size
            if 0 < size < LEAST_BYTES:
                raise self._damaged(f"it has {size} bytes")
            if size == 0 and any((self.folder / "runs").glob("*")):
                raise StoreError(
                    f"the database {self._path} is empty although files of runs exist, so something has emptied it. "
                    "Restore it from a copy, or remove it to start a new one."
                )
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.text_factory = lambda text: text.decode(errors="replace")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection)
        except NewerLayout as error:
            raise StoreError(
                f"a newer version of auditor made the store {self._path} (layout {error.version}; this version reads "
                f"up to {VERSION}). Update auditor, or set AUDITOR_HOME to another folder."
            ) from None
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        except OSError as error:
            raise StoreError(
                f"the store {self._path} cannot be opened: {error.strerror or error}. Set AUDITOR_HOME to a writable "
                "folder."
            ) from error
        return connection

    def read(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query finds.

        Raises:
            DamagedDatabase: the file is damaged.
            StoreError: it cannot be read now.
        """
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> StoreError:
        if not _is_damage(error):
            return StoreError(
                f"the store {self._path} cannot be opened: {error}. Set AUDITOR_HOME to a writable folder."
            )
        return self._damaged(str(error))

    def _damaged(self, reason: str) -> DamagedDatabase:
        return DamagedDatabase(
            reason,
            f"the database {self._path} is damaged, or is not auditor's: {reason}. To start anew, move its folder away "
            f"or set AUDITOR_HOME to another one. `sqlite3 {DATABASE} .recover` may recover its contents.",
        )

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, which is durable when the context ends, and undone when it raises.

        Raises:
            DamagedDatabase: the file is damaged.
            StoreError: it cannot be written now.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        except sqlite3.Error as error:
            if _is_damage(error):
                raise self._unreadable(error) from error
            raise StoreError(
                f"the store in {self.folder} cannot be written: {error}. Free some space or check its permissions, "
                "then run `auditor resume`."
            ) from error


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, and not that another process holds it or a disk is full."""
    return getattr(error, "sqlite_errorcode", None) in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_ERROR,  # tables that should be there are not
    )
