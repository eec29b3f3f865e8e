"""The code blocks of README and of the documents, as a reader would use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.command import ROOT

_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ATTRIBUTE = re.compile(r'(\w+)(?:="([^"]*)"|=(\S+))?')


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: the document.
        line: where the block begins.
        language: `sh`, `toml`, …
        attributes: what stands behind the language: `title="FILE"`, `exit=10`, `fragment="audit"`, `background`.
        text: what is in it.
    """

    page: Path
    line: int
    language: str
    attributes: dict[str, str]
    text: str

    def __str__(self) -> str:
        """Where it is."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every document that a reader may follow; what was measured and how is not to be followed."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(page for page in found if page.name not in ("results.md", "attacks.md"))


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        attributes = {one[1]: one[2] or one[3] or "" for one in _ATTRIBUTE.finditer(found[2])}
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], attributes, found[3])


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def save_files(page: Path, folder: Path) -> list[str]:
    """Save every block with a title under that name; returns the names."""
    titled = [block for block in blocks(page) if "title" in block.attributes]
    for block in titled:
        (folder / block.attributes["title"]).write_text(block.text, encoding="utf-8")
    return [block.attributes["title"] for block in titled]
