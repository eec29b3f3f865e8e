"""The layout of the database, and how an older one becomes the present one."""

from __future__ import annotations

import sqlite3

_RUNS_AND_EVENTS = """
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

_PROVIDERS_AND_REQUESTS = """
CREATE TABLE providers (
    name           TEXT PRIMARY KEY,
    endpoint       TEXT NOT NULL,
    price_per_hour REAL,
    added          TEXT NOT NULL
) STRICT;
CREATE TABLE requests (
    run    TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    action TEXT NOT NULL,
    time   TEXT NOT NULL,
    PRIMARY KEY (run, action)
) STRICT, WITHOUT ROWID;
"""

_PARENTS = """
ALTER TABLE runs ADD COLUMN parent TEXT;
"""

_UPDATES = """
ALTER TABLE runs ADD COLUMN chain TEXT REFERENCES runs (id) ON DELETE CASCADE;
ALTER TABLE runs ADD COLUMN position INTEGER;
CREATE UNIQUE INDEX updates ON runs (chain, position) WHERE chain IS NOT NULL;
"""

_ACCESS = """
ALTER TABLE providers ADD COLUMN token_file TEXT;
ALTER TABLE providers ADD COLUMN fingerprint TEXT;
ALTER TABLE providers ADD COLUMN signing_key TEXT;
"""

STEPS = (_RUNS_AND_EVENTS, _PROVIDERS_AND_REQUESTS, _PARENTS, _UPDATES, _ACCESS)
"""What leads from each version to the next; a new database takes them all."""

VERSION = len(STEPS)
"""The present layout; kept in the database's `user_version`."""


class NewerLayout(Exception):  # noqa: N818 - the name reads as what it is
    """A newer version of `auditor` made the database; `version` is its layout."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the present layout, in one transaction; an empty one is made anew.

    Raises:
        NewerLayout: it is from the future.
    """
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have migrated it while this one waited.
        version = _version(connection)
        for statement in ";".join(STEPS[version:]).split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerLayout(version)
    return int(version)
