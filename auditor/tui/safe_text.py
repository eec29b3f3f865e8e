"""Text that others wrote, as it may be shown: cleaned, and never taken for markup."""

from __future__ import annotations

from rich.text import Text

from auditor.base.hostile_text import cleaned


def safe_text(text: object, limit: int = 500, style: str = "") -> Text:
    """Text from a provider, a job file or an error, for a widget that would read markup in a string."""
    return Text(cleaned(text, limit), style=style, overflow="ellipsis")


def short(name: str, width: int) -> str:
    """A name in at most `width` columns."""
    text = Text(cleaned(name, 4 * max(1, width)))
    text.truncate(max(1, width), overflow="ellipsis")
    return text.plain


def padded(name: str, width: int) -> str:
    """A name in exactly `width` columns, wide characters counted as they are drawn."""
    text = Text(short(name, width))
    text.pad_right(max(0, width - text.cell_len))
    return text.plain
