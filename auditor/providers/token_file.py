"""The token that gets a client into an agent, in a file that nobody but its owner can read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

TOKEN = re.compile(r"[A-Za-z0-9_~+/.=-]{16,1024}")
"""What a bearer token may consist of (RFC 6750), and how long it is."""
LONGEST = 4096


class BadTokenFile(ValueError):  # noqa: N818 - the name reads as what it is
    """A file that no token can be read from; the message says why and what to do, without showing what is in it."""


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        BadTokenFile: there is none, or others can read it.
    """
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG((found := os.fstat(file.fileno())).st_mode):
                raise BadTokenFile(f"the token file {path} is not a file")
            if found.st_mode & 0o077:
                raise BadTokenFile(f"other users can read the token file {path}; run: chmod 600 {path}")
            text = file.read(LONGEST).decode("ascii", "replace").strip()
    except OSError as error:
        raise BadTokenFile(
            f"the token file {path} cannot be read: {error.strerror}; copy the agent's file `token` there"
        ) from None
    if not TOKEN.fullmatch(text):
        raise BadTokenFile(f"the token file {path} holds no token; copy the agent's file `token` there")
    return text
