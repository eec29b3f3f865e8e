"""The job files that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_jobs() -> list[Path]:
    """All of them, by name."""
    folder = Path(str(files("auditor_sample_jobs")))
    return sorted(folder.glob("*.toml"))


def sample_job(name: str) -> Path:
    """One of them."""
    return next(path for path in sample_jobs() if path.stem == name)
