"""Keeping a process away from a folder, with what the Linux kernel has for it (Landlock, 5.13 and later).

Landlock knows what a process may do, not what it may not. So it is allowed everything in every folder and file but
those on the way to the hidden one: of `/home/me/.local/share/auditor`, what is beside `home`, beside `me`, and so on.
What comes to be beside them later stays out of reach, too. It cannot be undone, and all that the process starts is
bound by it; nor can the process look into the memory of one that is not.

The numbers are those of `linux/landlock.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14}
"""Rights that each version of the interface added: to read, write, list, make and remove; to move; to cut off."""
_OF_FILES = 0b111 | 1 << 14
"""Those that a file can have: to be executed, written, read and cut off."""
_SCOPES_SINCE, _SCOPES = 6, 0b11
"""Since when, and that, abstract sockets and signals do not reach processes that are not bound."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class NoLandlock(OSError):  # noqa: N818 - the name reads as what it is
    """The kernel cannot do it, or does not let us."""


def landlock_version() -> int:
    """The version of the interface; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    with suppress(OSError):
        return _call(_CREATE_RULESET, None, 0, _VERSION)
    return 0


def hide(folder: Path, but: Iterable[Path], read_only: Iterable[Path] = ()) -> None:
    """Take a folder out of this process's reach, for good.

    Call it before any thread is started: it binds the thread that calls it and what that starts.

    Args:
        folder: what is hidden, with all that is in it.
        but: files and folders in it that stay in reach.
        read_only: others that can only be read.

    Raises:
        NoLandlock: the kernel cannot do that; nothing is hidden then.
    """
    version = landlock_version()
    if not version:
        raise NoLandlock(errno.ENOSYS, "this system has no Landlock")
    rights = sum(added for since, added in _RIGHTS.items() if since <= version)
    reading = 0b1101
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    ruleset = _Ruleset(rights, 0, scopes)
    size = 24 if version >= _SCOPES_SINCE else 8
    handle = _call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    folder = folder.resolve()
    way = {folder, *folder.parents}
    try:
        for path in (*_beside(folder), *but):
            _allow(handle, path, rights, way)
        for path in read_only:
            _allow(handle, path, reading, way)
        if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise NoLandlock(ctypes.get_errno(), "privileges cannot be given up")
        _call(_RESTRICT_SELF, handle, 0, 0)
    finally:
        os.close(handle)


def _beside(folder: Path) -> Iterator[Path]:
    """Everything that is not on the way to a folder, nor in it."""
    for parent in folder.parents:
        with suppress(OSError):
            # A link may lead into what is hidden.
            yield from (entry for entry in parent.iterdir() if not entry.resolve().is_relative_to(folder))


def _allow(ruleset: int, path: Path, rights: int, way: Set[Path]) -> None:
    """Allow what is done to a path and below it, unless the hidden folder lies there."""
    try:
        path = path.resolve()
        if path in way:
            return
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it has gone, or is out of reach anyway
    try:
        granted = rights if path.is_dir() else rights & _OF_FILES
        rule = _Beneath(granted, opened)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: object) -> int:
    done = int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))
    if done < 0:
        raise NoLandlock(ctypes.get_errno(), "the kernel refuses Landlock")
    return done
