"""Where an agent keeps temporary files: it may be killed at any time, and nothing is to be left behind elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "temporary"


def keep_temporary_files(folder: Path) -> None:
    """Have this process and what it starts make temporary files in an agent's own folder.

    Those that an earlier process left there are removed.

    Args:
        folder: of the agent, which no other process uses.
    """
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
