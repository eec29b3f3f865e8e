"""Text from outside, made safe to stand in a Markdown file.

Names and messages come from providers, plugins and job files. In Markdown they could become links, images, HTML,
headings or further columns of a table. Here they become words or code, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from auditor.base.hostile_text import cleaned

LIMIT = 500
"""More characters of one text are cut off."""

_PLAIN = re.compile(r"""(?:[^\W_]|(?<=[^\W_])_(?=[^\W_])|[,;:.'"’()%=+/×–—…≥≤√°-])+""")
"""Words with characters that mean nothing in Markdown in the middle of a line."""

_ADDRESS = re.compile(r"://|\bwww\b|\b(?:https?|ftp|mailto|xmpp|javascript|data):|\w\.[^\W\d]", re.IGNORECASE)
"""What some renderers turn into a link by themselves, `example.org` included."""

_FIRST = re.compile(r"[\"'(]?[^\W\d_]|\d+$")
"""How a line may begin: not as a list, a heading or a rule does."""


def words(text: object) -> str:
    """`text` as words in a sentence or a table; each word that could mean anything else as code."""
    tokens = cleaned(text, LIMIT).split()
    return " ".join(_word(token, first=index == 0) for index, token in enumerate(tokens)) or "–"


def code(text: object) -> str:
    """`text` as code on one line. A grave accent becomes an apostrophe, and a vertical bar a broken one."""
    plain = cleaned(text, LIMIT).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain}`" if plain else "–"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table whose cells are safe already, and an empty line."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{' --- |' * len(headings)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def bullets(lines: Iterable[str]) -> Iterator[str]:
    """A list of lines that are safe already, and an empty line."""
    yield from (f"- {line}" for line in lines)
    yield ""


def _word(token: str, *, first: bool) -> str:
    harmless = _PLAIN.fullmatch(token) and not _ADDRESS.search(token) and (not first or _FIRST.match(token))
    return token if harmless else code(token)
