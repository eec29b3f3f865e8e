"""A folder of files named by the SHA-256 of their bytes."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from auditor.base.atomic_file import incoming_file

DIGEST = re.compile(r"[0-9a-f]{64}")
"""What a digest looks like; anything else never becomes a file name."""


_Mark = tuple[int, int, int, int]
"""What the system says of a file, which differs once the file was changed."""


class BlobError(Exception):
    """A blob that is not what it should be."""


class BlobFolder:
    """Immutable files named by their digest; a blob is there entirely or not at all.

    Disks flip bits, and people touch files. So a file that this object has not written itself is read once and held
    against its name before anybody uses it, and again whenever the system says that it was changed since.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._verified: dict[str, _Mark] = {}

    def path(self, digest: str) -> Path:
        """Where a blob is or would be.

        Raises:
            BlobError: `digest` is not one.
        """
        if not DIGEST.fullmatch(digest):
            raise BlobError("a digest has 64 hexadecimal digits in lower case.")
        return self._folder / digest

    def has(self, digest: str) -> bool:
        """Whether the blob is there and its bytes are those of its name.

        A file with other bytes is removed, as if it had never come.

        Raises:
            BlobError: `digest` is not one.
            OSError: the file cannot be read, for another reason than that it or the disk is damaged.
        """
        path = self.path(digest)
        try:
            with path.open("rb") as file:
                mark = _mark(os.fstat(file.fileno()))
                if self._verified.get(digest) == mark:
                    return True
                sound = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except (FileNotFoundError, IsADirectoryError):
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            sound = False
        if sound:
            self._verified[digest] = mark
        else:
            self.remove(digest)
        return sound

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
        with incoming_file(self._folder) as (path, file):
            yield IncomingBlob(self, path, file)

    def remove(self, digest: str) -> None:
        """Forget a blob, if it is there."""
        self.path(digest).unlink(missing_ok=True)
        self._verified.pop(digest, None)

    def wrote(self, digest: str, status: os.stat_result) -> None:
        """Take note that the blob was just written with the bytes of its name.

        Args:
            digest: its name.
            status: of the file that was written; by its name it may be gone already.
        """
        self._verified[digest] = _mark(status)

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
        self._folder.wrote(digest, os.fstat(self._file.fileno()))
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too, must survive a power cut: events refer to it
        finally:
            os.close(folder)
        return digest


def _mark(status: os.stat_result) -> _Mark:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
