"""A folder of files named by the SHA-256 of their bytes."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

DIGEST = re.compile(r"[0-9a-f]{64}")
"""What a digest looks like; anything else never becomes a file name."""


class BlobError(Exception):
    """A blob that is not what it should be."""


class BlobFolder:
    """Immutable files named by their digest; a blob is there entirely or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a blob is or would be.

        Raises:
            BlobError: `digest` is not one.
        """
        if not DIGEST.fullmatch(digest):
            raise BlobError("a digest has 64 hexadecimal digits in lower case.")
        return self._folder / digest

    def has(self, digest: str) -> bool:
        """Whether the blob is there."""
        return self.path(digest).is_file()

    def add(self, pieces: Iterable[bytes | memoryview]) -> str:
        """Store bytes; returns their digest. Bytes that are there already stay as they are.

        Raises:
            OSError: they cannot be written, on a full disk for instance; nothing is left behind.
        """
        with self.receive() as incoming:
            for piece in pieces:
                incoming.write(piece)
            return incoming.keep()

    @contextmanager
    def receive(self) -> Iterator[IncomingBlob]:
        """A blob that arrives piece by piece; it is discarded unless it is kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            incoming = IncomingBlob(self, Path(name), file)
            try:
                yield incoming
            finally:
                Path(name).unlink(missing_ok=True)

    def remove(self, digest: str) -> None:
        """Forget a blob, if it is there."""
        self.path(digest).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all blobs; a file that is none stays."""
        for file in self._folder.glob("*"):
            if DIGEST.fullmatch(file.name):
                file.unlink(missing_ok=True)


class IncomingBlob:
    """Bytes on their way into a `BlobFolder`, hashed as they come."""

    def __init__(self, folder: BlobFolder, path: Path, file: IO[bytes]) -> None:
        self._folder = folder
        self._path = path
        self._file = file
        self._sha = hashlib.sha256()
        self.size = 0

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._file.write(piece)
        self._sha.update(piece)
        self.size += len(piece)

    def keep(self, expected: str | None = None) -> str:
        """Make the blob durable under its digest, which is returned.

        Raises:
            BlobError: the digest is not the one expected.
        """
        digest = self._sha.hexdigest()
        if expected is not None and digest != expected:
            raise BlobError(f"the bytes have digest {digest[:12]}…, not {expected[:12]}…")
        self._file.flush()
        os.fsync(self._file.fileno())
        target = self._folder.path(digest)
        self._path.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too, must survive a power cut: events refer to it
        finally:
            os.close(folder)
        return digest
