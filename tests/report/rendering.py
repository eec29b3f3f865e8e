"""What a renderer makes of Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token


def tokens(text: str) -> Iterator[Token]:
    """Everything that a renderer makes of Markdown, with links that it finds by itself."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": True}).parse(text):
        yield token
        yield from token.children or ()
