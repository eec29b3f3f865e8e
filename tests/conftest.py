"""What tests share: a home of their own, job files, and the command as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Auditor


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `AUDITOR_HOME`."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AUDITOR_HOME", str(folder))
    return folder


@pytest.fixture
def auditor(home: Path, tmp_path: Path) -> Auditor:
    """The `auditor` command in a folder and with a home of its own."""
    return Auditor(tmp_path, home)
