"""The folder that local agents' sockets are in: made for one run, and removed without touching anything else."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

ERRORS = "errors"
"""The file in it that takes what the fork server writes to stderr."""


def make_socket_folder() -> Path:
    """A new folder with a short path: that of a Unix socket has at most about a hundred characters."""
    return Path(tempfile.mkdtemp(prefix="auditor-"))


def remove_socket_folder(folder: Path) -> None:
    """Remove the folder with the sockets and the error file in it; a folder with anything else in it stays."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_socket() or entry.name == ERRORS:
                entry.unlink(missing_ok=True)
        folder.rmdir()
