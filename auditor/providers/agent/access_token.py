"""The token that lets clients into an agent: made at its first start, and known to its owner by a file alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from auditor.providers.agent.kept_files import kept_file
from auditor.providers.token_file import read_token

NAME = "token"
_SCHEME = "bearer "


def own_token(folder: Path) -> tuple[Path, bytes]:
    """The file with an agent's token, and the SHA-256 of the token; it is made if there is none.

    Raises:
        BadTokenFile: what is there is no token, or others can read it.
        OSError: it cannot be made.
    """
    path = kept_file(folder, NAME, lambda: secrets.token_urlsafe(32) + "\n")
    return path, hashlib.sha256(read_token(path).encode()).digest()


def lets_in(header: str | None, digest: bytes) -> bool:
    """Whether the header `authorization` of a request has the token with this SHA-256."""
    if header is None or not header.lower().startswith(_SCHEME):
        return False
    given = header[len(_SCHEME) :].strip().encode("utf-8", "replace")
    return hmac.compare_digest(hashlib.sha256(given).digest(), digest)
