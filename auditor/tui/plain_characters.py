"""For terminals that are not UTF-8: what to write instead of the characters that frames and texts use."""

from __future__ import annotations

import codecs
import unicodedata

ERRORS = "auditor-plain"
"""The name of the error handler."""

_WORDS = {"×": "x", "–": "-", "−": "-", "…": "~", "₀": "0", "↑": "^", "↓": "v", "←": "<", "→": ">", "•": "*", "▏": "|"}


def plain(character: str) -> str:
    """One ASCII character that says the same, as far as one can."""
    if character in _WORDS:
        return _WORDS[character]
    name = unicodedata.name(character, "")
    if "BOX DRAWINGS" in name or "BLOCK" in name:
        across = any(word in name for word in ("HORIZONTAL", "LEFT", "RIGHT", "UPPER", "LOWER"))
        down = any(word in name for word in ("VERTICAL", "DOWN", "UP "))
        return "+" if across and down else "|" if down else "-" if across else "#"
    return "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(plain(character) for character in error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _replace)
