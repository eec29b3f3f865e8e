"""Homes for the interface."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from auditor.tui.app import AuditorApp


@pytest.fixture(autouse=True)
def _warm(warm: None) -> None:
    """Runs and the loading of plugins are processes of their own."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, named alike on every machine; the working folder is the one that it lies in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    return Path("home")


@pytest.fixture
def app(home: Path) -> AuditorApp:
    """The interface on an empty home."""
    return AuditorApp(home)
