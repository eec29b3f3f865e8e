"""Folders and files that are their owner's alone from the moment they exist.

The modes are given when something is made, never afterwards, and bits that a umask takes away are none that are given
here. So no other user can open anything in between.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from auditor.store.errors import StoreError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
DATABASE = "auditor.db"
DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
CONTENTS = {*DATABASE_FILES, "runs", "datasets", "agents", "bench", "studies", "theme.txt"}
"""What lies in a home; a folder with other things, and without a database, is none."""


def make_home(folder: Path) -> None:
    """Make the folder that holds everything, or make sure that one that is there is its owner's alone.

    One that others could enter is closed to them, if it is ours and a home already, or empty.

    Raises:
        StoreError: it belongs to somebody else, or is a folder for other things; says what to do.
        OSError: it cannot be made.
    """
    _refuse_planted_links(folder)
    make_folder(folder)
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(None, "Not a directory", str(folder))
    if found.st_uid != os.geteuid():
        raise StoreError(
            f"the folder {folder} belongs to another user, who could read and change what is kept there. Set "
            "AUDITOR_HOME to a folder that you own; auditor creates it if it does not exist."
        )
    if _is_open(found):
        _close(folder, found)
    for path in (folder / name for name in DATABASE_FILES):
        if path.is_file() and _is_open(path.stat()):
            path.chmod(FILE_MODE)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are not there, each its owner's alone.

    Raises:
        OSError: one of them cannot be made.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent)
    try:
        folder.mkdir(FOLDER_MODE)
    except FileExistsError:  # in the meantime, or as something else than a folder
        if not folder.is_dir():
            raise


def make_file(path: Path) -> None:
    """Make an empty file that is its owner's alone, if there is none.

    One that is there is not opened. To close it again would let go of all locks that this process holds on it (POSIX),
    those of SQLite among them: another process would then take away the journal of a database that is in use here.

    Raises:
        OSError: it cannot be made, or is something else than a file.
    """
    if path.is_file():
        return
    with open_file(path, os.O_RDWR) as file:
        file.fileno()


def open_file(path: Path, flags: int) -> IO[bytes]:
    """Open a file of the store, which is made if it is not there, as its owner's alone.

    Args:
        path: of the file.
        flags: how it is opened, as in `os.O_WRONLY`, `os.O_RDWR` or `os.O_APPEND`.

    Raises:
        OSError: it cannot be opened, or is something else than a file, such as a pipe.
    """
    number = os.open(path, flags | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, FILE_MODE)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(None, "Not a file", str(path))
        reading = flags & os.O_ACCMODE == os.O_RDWR
        return os.fdopen(number, "r+b" if reading else "wb", buffering=0)
    except BaseException:
        os.close(number)
        raise


def _close(folder: Path, found: os.stat_result) -> None:
    """Close a folder of ours to others, unless it is a folder for other things."""
    is_home = (folder / DATABASE).exists() or {path.name for path in folder.iterdir()} <= CONTENTS
    if found.st_mode & stat.S_ISVTX or not is_home:
        raise StoreError(
            f"other users can enter the folder {folder}, and it holds other things than runs, so its permissions are "
            f"left unchanged. Set AUDITOR_HOME to a folder for runs alone, such as {folder / 'auditor'}."
        )
    folder.chmod(FOLDER_MODE)
    if _is_open(folder.stat()):
        raise StoreError(
            f"other users can read the folder {folder}, and its file system does not allow changing that. Set "
            "AUDITOR_HOME to a folder on another file system."
        )


def _is_open(found: os.stat_result) -> bool:
    """Whether anybody but the owner may do anything."""
    return bool(stat.S_IMODE(found.st_mode) & 0o077)


def _refuse_planted_links(folder: Path) -> None:
    """A link that another user made, as in a folder that all may write to, leads wherever that user wants."""
    for place in (folder, *folder.parents):
        try:
            found = place.lstat()
        except OSError:
            continue
        if stat.S_ISLNK(found.st_mode) and found.st_uid not in (0, os.geteuid()):
            raise StoreError(
                f"{place} is a link that another user made. Set AUDITOR_HOME to a folder that you own; auditor creates "
                "it if it does not exist."
            )
