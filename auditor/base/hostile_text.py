"""Text that comes from a provider, made safe to keep and to show."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor movement
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # strings: titles, hyperlinks, clipboard
    r"|\x1b[@-Z\\-_]?",
    re.DOTALL,
)


def cleaned(text: object, limit: int = 500) -> str:
    """`text` on one line of at most `limit` characters, without escapes, control or direction marks."""
    plain = _ESCAPE.sub("", str(text)[: 20 * limit])
    spaced = re.sub(r"\s+", " ", plain)
    kept = "".join(character for character in spaced if not unicodedata.category(character).startswith("C"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
