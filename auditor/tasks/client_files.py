"""Laying out a client's files in a folder of their own, under the names that the client gave them."""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from auditor.job.client_files import MAX_FILES
from auditor.tasks.errors import TrainingError

COPIED_BYTES = 1 << 24
"""Larger files are linked: they are data, and nobody looks for what lies beside them."""


def check_files(items: Collection[tuple[str, str]]) -> None:
    """Make sure that files are there, and not too many.

    Args:
        items: as the values of `auditor.job.task.Task.files`.

    Raises:
        TrainingError: says which is not there.
    """
    if len(items) > MAX_FILES:
        raise TrainingError(
            f"task.needs names more than {MAX_FILES:,} files. Leave data out of it: have the code read that from a "
            "path that it is given."
        )
    for _, path in items:
        if not Path(path).is_file():
            raise TrainingError(f"{path}: there is no such file. Name files beside the job file, or below it.")


def lay_out(items: Collection[tuple[str, str]], folder: Path) -> None:
    """Put files into a folder; scripts can be executed.

    Args:
        items: as the values of `auditor.job.task.Task.files`: `NAME=` and the path of each.
        folder: an empty one, without links on the way to it.

    Raises:
        TrainingError: a file is not there, or its name leads out of the folder.
    """
    check_files(items)
    for prefix, path in items:
        name = prefix.removesuffix("=")
        place = folder / name
        if not place.resolve().is_relative_to(folder):
            raise TrainingError(f"{name!r} leads out of the folder that the client's files are laid out in.")
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).stat().st_size > COPIED_BYTES:
            place.symlink_to(path)
            continue
        shutil.copyfile(path, place)
        if _is_script(place):
            place.chmod(place.stat().st_mode | stat.S_IXUSR)


def named_by_content(files: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Files by what is in them, as providers get their names.

    Args:
        files: as of `auditor.job.task.Task.files`.

    Raises:
        OSError: one cannot be read.
    """
    found = {}
    for key, (prefix, path) in files.items():
        with Path(path).open("rb") as file:
            found[key] = f"{prefix}sha256-{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return found


def _is_script(path: Path) -> bool:
    """Whether a file says in its first line what executes it."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"
