"""The examples of the guide to plugins, as a reader would save them."""

from __future__ import annotations

from pathlib import Path

from tests.command import ROOT
from tests.docs.blocks import save_files

GUIDE = ROOT / "docs" / "how-to" / "write-plugins.md"


def save_examples(folder: Path) -> list[str]:
    """Save every example under the name that the guide gives it; returns the names."""
    return save_files(GUIDE, folder)
