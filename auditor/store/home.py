"""Where everything is kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from auditor.store.errors import StoreError


def home() -> Path:
    """`AUDITOR_HOME` if it is set, else the platform's folder for data.

    Raises:
        StoreError: `AUDITOR_HOME` begins with the home of a user whom this machine does not know.
    """
    given = os.environ.get("AUDITOR_HOME")
    if given:
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError:
            raise StoreError(
                f"AUDITOR_HOME is {given!r}, but this machine has no such user. Set it to a path."
            ) from None
    return Path(platformdirs.user_data_path("auditor", appauthor=False))
