"""The theme that the person chose, kept beside the store."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FILE = "theme.txt"
LONGEST = 100


def remembered_theme(folder: Path) -> str:
    """The name that was kept; empty where there is none. What is in the file may be anything."""
    try:
        with (folder / FILE).open(encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST).strip()
    except OSError:
        return ""


def remember_theme(folder: Path, name: str) -> None:
    """Keep a name for the next start; without a folder to write in, it is forgotten."""
    with suppress(OSError):
        (folder / FILE).write_text(name + "\n", encoding="utf-8")
