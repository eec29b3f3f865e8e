"""Files of the client's that providers lay out as they lie beside its job file: code, and what that reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pydantic_core import PydanticCustomError

from auditor.job.task import check_path

MAX_FILES = 2_000
"""More files are data; a provider finds those better by a path of its own."""

_NAMED = re.compile(r"(?P<name>[^=]+)=(?P<path>.+)", re.DOTALL)


def is_named(item: str) -> bool:
    """Whether a file is written as `NAME=PATH` already."""
    return _NAMED.fullmatch(item) is not None


def named(item: str) -> str:
    """A file as `NAME=PATH`, where NAME is its place beside the job file.

    Raises:
        PydanticCustomError: it does not lie there.
    """
    if is_named(item):
        return item
    check_path(f":{item}")
    place = PurePosixPath(item)
    if place.is_absolute() or ".." in place.parts or item.startswith("~") or not place.parts:
        raise PydanticCustomError(
            "unknown_word",
            "{value} does not lie beside the job file or below it; providers could not lay it out as it is here. Move "
            "it there.",
            {"value": repr(item)},
        )
    return f"{place}={place}"


def name_and_path(item: str) -> tuple[str, str]:
    """The two halves of `NAME=PATH`."""
    name, _, path = item.partition("=")
    return name, path


def prefix_and_path(item: str) -> tuple[str, str]:
    """The same as `auditor.job.task.Task.files` wants it."""
    name, path = name_and_path(item)
    return f"{name}=", path


def expanded(items: Iterable[str]) -> tuple[str, ...]:
    """Files, with those of each folder instead of the folder; hidden ones and what Python compiled are left out."""
    found: list[str] = []
    for item in items:
        name, path = name_and_path(item)
        if not Path(path).is_dir():
            found.append(item)
            continue
        for inner in sorted(Path(path).rglob("*")):
            place = inner.relative_to(path)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in place.parts)
            if inner.is_file() and not hidden:
                found.append(f"{name}/{place.as_posix()}={inner}")
            if len(found) > MAX_FILES:
                return tuple(found)
    return tuple(found)
