"""The folder that local agents' sockets are in: made for one run, and removed without touching anything else."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from auditor.providers.errors import Unreachable

ERRORS = "errors"
"""The file in it that takes what the fork server writes to stderr."""
MAX_PATH = 107 if sys.platform == "linux" else 103
"""Bytes that the path of a Unix socket may have."""
_LONGEST = "auditor-12345678/12345.sock"
_SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def make_socket_folder() -> Path:
    """A new folder, readable by nobody else, with a path that is short enough for a Unix socket in it.

    It is where temporary files belong, or, if that path is too long already, wherever else it can be.

    Raises:
        Unreachable: there is no such place.
    """
    places = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR"), *_SHORT]
    for place in filter(None, places):
        if len(os.fsencode(place)) + 1 + len(_LONGEST) <= MAX_PATH:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="auditor-", dir=place))
    raise Unreachable(
        f"local providers need a socket folder whose path has at most {MAX_PATH - len(_LONGEST) - 1} bytes; "
        f"{tempfile.gettempdir()} is too long and there is no other: set TMPDIR to a shorter one"
    )


def remove_socket_folder(folder: Path) -> None:
    """Remove the folder with the sockets and the error file in it; a folder with anything else in it stays."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_socket() or entry.name == ERRORS:
                entry.unlink(missing_ok=True)
        folder.rmdir()
