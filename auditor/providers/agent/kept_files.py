"""What an agent makes once and keeps in its own folder: secrets, keys, certificates."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from auditor.base.atomic_file import incoming_file
from auditor.store.private_files import make_folder


def kept_file(folder: Path, name: str, make: Callable[[], str]) -> Path:
    """A file whose text is made once; only the owner can read it, and it is there entirely or not at all.

    Of several processes that make it, the first one wins.

    Raises:
        OSError: it cannot be made.
    """
    path = folder / name
    if not path.exists():
        make_folder(folder)
        with incoming_file(folder) as (incoming, file):
            file.write(make().encode())
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(incoming)
    return path


def kept(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The text of such a file.

    Raises:
        OSError: it cannot be made or read.
    """
    return kept_file(folder, name, make).read_text()
