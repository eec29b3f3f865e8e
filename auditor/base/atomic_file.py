"""Files that are there entirely or not at all: written under another name in the same folder, then renamed."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def incoming_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file in a folder, which is made if it is not there; it is removed at the end unless it was renamed.

    Args:
        folder: where it will stay, so that renaming it is one step of the file system.

    Yields:
        Its path, and the file to write to and to read from.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    path = Path(name)
    with os.fdopen(handle, "w+b") as file:
        try:
            yield path, file
        finally:
            path.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file that is there entirely or not at all, in place of one that is there already.

    Raises:
        OSError: it cannot be written.
    """
    with incoming_file(path.parent) as (incoming, file):
        file.write(content)
        file.flush()
        incoming.rename(path)


def write_user_file(path: Path, text: str) -> None:
    """Write a file of the user's as UTF-8: in place of one that is there, it is the old one or the new one entirely.

    A link stays a link, and a file that is replaced keeps its permissions. What is no file, such as a terminal, is
    written to directly.

    Raises:
        OSError: it cannot be written, because its folder is not there for instance.
    """
    content = text.encode()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if not path.exists():
        # It is made empty first, because only the system knows which permissions new files get.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    mode = path.stat().st_mode & 0o7777
    with incoming_file(path.parent) as (incoming, file):
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        incoming.rename(path)
