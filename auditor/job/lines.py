"""Which line of a TOML text a key stands on, so that an error can point at it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Every key path of a valid TOML text with the line that its statement starts on, counted from 1.

    The standard parser keeps no positions. But each statement of TOML ends with its line, so the text up to a
    line parses exactly when no statement is left open there, and the keys that it has more than the last text
    that parsed were written by the statement in between.
    """
    lines: dict[Path, int] = {}
    rows = text.splitlines(keepends=True)
    start = 1
    for end in range(1, len(rows) + 1):
        try:
            parsed = tomllib.loads("".join(rows[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(parsed, ()):
            lines.setdefault(path, start)
        start = end + 1
    return lines


def nearest_line(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest thing around it that has one."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _paths(value: Any, path: Path) -> Iterator[Path]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _paths(child, (*path, key))
