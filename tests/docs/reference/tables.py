"""Tables of Markdown, and the docstrings of attributes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; an empty cell is a dash."""
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    for row in rows:
        lines.append(f"| {' | '.join(flowing(cell) or '–' for cell in row)} |")
    return "\n".join(lines) + "\n"


def flowing(text: str) -> str:
    """Text on one line, with vertical bars that end no cell."""
    return " ".join(text.split()).replace("|", "\\|")


def sentence(text: str) -> str:
    """A description as a sentence: a capital first, a full stop last."""
    plain = " ".join(text.split())
    start = plain[:1] if plain[1:2] in (",", ";") else plain[:1].upper()  # k, m and r stay small
    return f"{start}{plain[1:]}{'' if plain.endswith(('.', '?', '!')) or not plain else '.'}"


def attribute_docstrings(owner: type) -> dict[str, str]:
    """The string that stands below each attribute of a class, by the attribute's name."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            continue
        target = before.targets[0] if isinstance(before, ast.Assign) else getattr(before, "target", None)
        if isinstance(target, ast.Name):
            found[target.id] = str(after.value.value)
    return found
