"""What tests share: a home of their own, job files, and the command as a user runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Several processes test side by side: one thread each, also of those that they start. Before PyTorch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from tests.command import Auditor
from tests.warm_python import interpreter, with_these_tests

TESTS = Path(__file__).parent


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: much of the time is spent waiting for processes, sockets and stalls."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


LONGEST = (
    "audit/test_pretenders.py",
    "audit/test_hostile_providers.py",
    "experiments/test_bench.py",
    "audit/test_resume.py",
    "audit/test_coins.py",
    "audit/test_tosses.py",
    "tui/test_walks.py",
    "audit/test_file_plugins.py",
    "docs/test_commands.py",
    "audit/test_directions.py",
    "audit/test_initial.py",
    "providers/test_agent_state.py",
)
"""The files with the longest tests, in the order in which they begin. The first ones mostly wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first, the longest of them before the others, so that all processes have work to the end."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("slow") is None:
        return len(LONGEST) + 1
    name = item.path.relative_to(TESTS).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `AUDITOR_HOME`."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AUDITOR_HOME", str(folder))
    return folder


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code starts in the test's own process is forked from a process that has PyTorch imported."""
    monkeypatch.setattr(sys, "executable", interpreter())
    monkeypatch.setenv("PYTHONPATH", with_these_tests())


@pytest.fixture
def auditor(home: Path, tmp_path: Path) -> Auditor:
    """The `auditor` command in a folder and with a home of its own."""
    return Auditor(tmp_path, home)
