"""Which line of a TOML text a key stands on, so that an error can point at it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[{\]}\n]",
    re.DOTALL,
)
"""What decides where a statement ends: strings and comments, which hide brackets; brackets; ends of lines."""


def key_lines(text: str) -> dict[Path, int]:
    """Every key path of a valid TOML text with the line that its statement starts on, counted from 1.

    The standard parser keeps no positions. But each statement of TOML ends with its line, so every statement is
    parsed by itself, and its keys belong to the table whose header stands above it.
    """
    lines: dict[Path, int] = {}
    elements: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        parsed = tomllib.loads(statement)
        header = statement.lstrip().startswith("[")
        if header:
            table = _table(parsed, elements)
        paths = [table[: end + 1] for end in range(len(table))] if header else _paths(parsed, table)
        for path in paths:
            lines.setdefault(path, line)
    return lines


def nearest_line(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest thing around it that has one."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with the number of the line that it starts on."""
    depth, line, start = 0, 1, 0
    for token in _TOKEN.finditer(text + "\n"):
        match token.group():
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case "\n" if depth == 0:
                statement = text[start : token.start()]
                if statement.strip() and not statement.lstrip().startswith("#"):
                    yield line, statement
                line += statement.count("\n") + 1
                start = token.end()


def _table(parsed: dict[str, Any], elements: dict[Path, int]) -> Path:
    """The table that a header opens; `elements` counts those of each array of tables so far."""
    path: Path = ()
    while parsed:
        ((key, inner),) = parsed.items()
        path = (*path, key)
        if isinstance(inner, list):
            elements[path] = elements.get(path, -1) + 1
            parsed = inner[0]
        else:
            parsed = inner
        if path in elements:
            path = (*path, elements[path])
    return path


def _paths(value: Any, path: Path) -> Iterator[Path]:
    return (where for where, _ in inner_values(value, path))


def inner_values(value: Any, path: Path = (), deepest: int | None = None) -> Iterator[tuple[Path, Any]]:
    """Everything that lies in a value with its path, what lies deeper than `deepest` levels left out."""
    open_ones: list[tuple[Path, Any, int]] = [(path, value, 0)]
    while open_ones:
        where, inner, depth = open_ones.pop()
        if depth:
            yield where, inner
        if deepest is not None and depth == deepest:
            continue
        children = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        open_ones += [((*where, key), child, depth + 1) for key, child in children]
