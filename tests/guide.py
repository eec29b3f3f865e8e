"""The examples of the guide to plugins, as a reader would save them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.command import ROOT

GUIDE = ROOT / "docs" / "plugins.md"
EXAMPLE = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)


def save_examples(folder: Path) -> list[str]:
    """Save every example under the name that the guide gives it; returns the names."""
    examples = EXAMPLE.findall(GUIDE.read_text(encoding="utf-8"))
    for name, text in examples:
        (folder / name).write_text(text, encoding="utf-8")
    return [name for name, _ in examples]
