"""Where everything is kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """`AUDITOR_HOME` if it is set, else the platform's folder for data."""
    given = os.environ.get("AUDITOR_HOME")
    if given:
        return Path(given).expanduser().absolute()
    return Path(platformdirs.user_data_path("auditor", appauthor=False))
