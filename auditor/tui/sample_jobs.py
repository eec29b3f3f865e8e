"""The job files that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_jobs() -> list[Path]:
    """All of them, by name."""
    folder = Path(str(files("auditor_sample_jobs")))
    return sorted(folder.glob("*.toml"))


def job_name(path: Path) -> str:
    """What commands may call a job file: `sample:NAME`, or its path, from here if it lies below."""
    if path in sample_jobs():
        return f"sample:{path.stem}"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def sample_job(name: str) -> Path:
    """One of them."""
    return next(path for path in sample_jobs() if path.stem == name)
