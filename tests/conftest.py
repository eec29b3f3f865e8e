"""What tests share: a home of their own, job files, and the command as a user runs it."""

from __future__ import annotations

import os
from pathlib import Path

# Several processes test side by side: one thread each, also of those that they start. Before PyTorch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests.command import Auditor


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: much of the time is spent waiting for processes, sockets and stalls."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first, so that all processes have work to the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
