"""Files that are there entirely or not at all: written under another name in the same folder, then renamed."""

from __future__ import annotations

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
        Its path, and the file to write to.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=folder)
    path = Path(name)
    with os.fdopen(handle, "wb") as file:
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
