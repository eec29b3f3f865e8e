"""What an agent has for itself: its folder, and a Unix socket that nobody but its owner can ever connect to."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.providers.socket_folder import MAX_PATH
from auditor.store.private_files import make_folder

WAITING = 128
"""Connections that wait to be accepted."""


class CannotListen(Exception):  # noqa: N818 - the name reads as what it is
    """A socket or a folder that an agent cannot have; the message says why, as the rest of a sentence."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep an agent's folder from every other agent; the system lets go when the process ends, however.

    Raises:
        CannotListen: another agent has it, or it cannot be used.
    """
    try:
        make_folder(folder)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise CannotListen(f"the folder {folder} cannot be used: {error.strerror or error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotListen(
                f"another agent keeps its checkpoints in {folder}; give one of the two another --folder"
            ) from None
        yield


@contextmanager
def private_socket(path: Path) -> Iterator[socket.socket]:
    """A socket that listens on `path` with mode 0600; one that a dead agent left there is replaced.

    Who connects before somebody answers waits.

    Raises:
        CannotListen: the path will not do, others could replace what is there, or an agent listens there.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        raise CannotListen(f"the path of a Unix socket can have at most {MAX_PATH} bytes; choose a shorter one")
    _check_folder(path.parent)
    _clear(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        bound.bind(str(path))
        bound.listen(WAITING)
    except OSError as error:
        bound.close()
        raise CannotListen(f"cannot listen: {error.strerror or error}") from None
    finally:
        os.umask(before)
    try:
        yield bound
    finally:
        bound.close()
        path.unlink(missing_ok=True)


def _check_folder(folder: Path) -> None:
    try:
        status = folder.stat()
    except OSError:
        raise CannotListen(f"there is no folder {folder}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise CannotListen(f"there is no folder {folder}")
    foreign = status.st_uid not in (0, os.geteuid())
    open_to_others = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
    if foreign or open_to_others:
        raise CannotListen(
            f"other users can put their own socket into {folder}; choose a folder that only you can write to"
        )


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListen("a file that is not a socket is already there; choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(1)
        try:
            trial.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise CannotListen("another agent already listens there; stop it, or choose another path")
