"""How a task names files to a provider: by what is in them, never by where they are.

A client's path means nothing on another machine. An agent that opened any path it is given would show its owner's
files to strangers. So `tensors:/home/me/mine.safetensors` becomes `tensors:sha256-…`, and an agent looks among
the data that its owner has offered for what has that digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from auditor.job.task import Task

NAME = re.compile(r"sha256-[0-9a-f]{64}")
"""What names a file, or a folder with all that is in it."""
PIECE = 1 << 20


class NotOffered(Exception):  # noqa: N818 - the name reads as what it is
    """A task that needs what an agent's owner has not offered; says so without any path of this machine."""


def name_of(path: Path) -> str | None:
    """The name of a file or a folder; None where it is neither, or cannot be read.

    Hidden files are left out of a folder's: they come and go with the system that copied it.
    """
    try:
        if path.is_dir():
            return f"sha256-{_folder_digest(path)}"
        return f"sha256-{_file_digest(path)}"
    except (OSError, ValueError):
        return None


def offered(paths: Iterable[Path]) -> dict[str, Path]:
    """Files and folders by their names.

    Raises:
        ValueError: one of them is neither, or cannot be read; says which.
    """
    named: dict[str, Path] = {}
    for path in paths:
        name = name_of(path)
        if name is None:
            raise ValueError(f"{path} is not a readable file or folder")
        named[name] = path.resolve()
    return named


def named_task(task: Task) -> tuple[Task, dict[str, Path]]:
    """The task as a provider gets it, and the files behind the names in it.

    A file that is not there keeps its path; loading the dataset then says what is wrong.
    """
    names: dict[str, Path] = {}
    changes: dict[str, str] = {}
    for key, (prefix, path) in task.files().items():
        name = name_of(Path(path))
        if name is not None:
            names[name] = Path(path)
            changes[key] = prefix + name
    return task.with_files(changes), names


def found_task(task: Task, find: Callable[[str], Path | None], *, downloads: bool) -> Task:
    """The task with the paths of what it names.

    Args:
        task: as a client wants it.
        find: where what has a name is; None where it is not to be had.
        downloads: whether datasets may be downloaded.

    Raises:
        NotOffered: it names something that is not offered, or a path.
    """
    if task.downloads and not downloads:
        raise NotOffered("this agent does not download datasets; its owner can allow it with --downloads")
    changes: dict[str, str] = {}
    for key, (prefix, name) in task.files().items():
        if not NAME.fullmatch(name):
            raise NotOffered(f"task.{key}: a task must name a file by sha256-… and its digest, not by a path")
        if (path := find(name)) is None:
            raise NotOffered(
                f"task.{key}: this agent offers no data with this digest; its owner can add it with --data, or "
                "the client sends it with task.ship = true"
            )
        changes[key] = prefix + str(path)
    return task.with_files(changes)


def _file_digest(path: Path) -> str:
    # A pipe or a device could be waited for without end, even by opening it.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("not a file")
        sha = hashlib.sha256()
        while piece := file.read(PIECE):
            sha.update(piece)
    return sha.hexdigest()


def _folder_digest(path: Path) -> str:
    sha = hashlib.sha256()
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            file = Path(folder, name)
            sha.update(
                f"{file.relative_to(path).as_posix()}\0{_file_digest(file)}\n".encode("utf-8", "surrogateescape")
            )
    return sha.hexdigest()
