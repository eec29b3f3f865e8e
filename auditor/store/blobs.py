"""A folder of files named by the SHA-256 of their bytes."""

from __future__ import annotations

import errno
import fcntl
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

PARTIAL = ".partial-"
"""What the name of a file begins with that holds the first bytes of a blob; its digest follows."""

PIECE = 1 << 20
"""Bytes that are hashed together."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Errors after which a part of a blob is not worth its place on the disk."""

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

    @contextmanager
    def resume(self, digest: str) -> Iterator[IncomingBlob]:
        """A blob that arrives piece by piece, and whose first bytes stay for the next time where it breaks off.

        It begins with nothing until it is asked to `take_up` what came before. While one process or thread receives a
        blob, a second receives it from its beginning, and leaves nothing.

        Raises:
            BlobError: `digest` is not one.
            OSError: it cannot be stored.
        """
        path = self._partial(digest)
        file = _owned(path)
        if file is None:
            with self.receive() as incoming:
                yield incoming
            return
        with file:
            incoming = IncomingBlob(self, path, file)
            try:
                yield incoming
            except OSError as error:
                if error.errno in NO_ROOM:
                    incoming.restart()
                raise
            finally:
                if not incoming.kept and not file.seek(0, os.SEEK_END):
                    path.unlink(missing_ok=True)

    def begun(self, digest: str) -> int | None:
        """How many bytes of a blob came before it broke off; None while somebody receives them.

        Raises:
            BlobError: `digest` is not one.
        """
        try:
            with self._partial(digest).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return os.fstat(file.fileno()).st_size
        except BlockingIOError:
            return None
        except OSError:
            return 0

    def _partial(self, digest: str) -> Path:
        return self._folder / f"{PARTIAL}{self.path(digest).name}"

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
            if DIGEST.fullmatch(file.name.removeprefix(PARTIAL)):
                file.unlink(missing_ok=True)


class IncomingBlob:
    """Bytes on their way into a `BlobFolder`, hashed as they come.

    Attributes:
        path: of the file that they are in until then.
        size: how many there are.
        kept: whether they became a blob.
    """

    def __init__(self, folder: BlobFolder, path: Path, file: IO[bytes]) -> None:
        self._folder = folder
        self.path = path
        self._file = file
        self._sha = hashlib.sha256()
        self.size = 0
        self.kept = False

    def take_up(self) -> int:
        """Begin with the bytes that came before it broke off; returns how many these are. It reads all of them.

        Raises:
            OSError: they cannot be read.
        """
        self._begin()
        while piece := self._file.read(PIECE):
            self._sha.update(piece)
            self.size += len(piece)
        return self.size

    def restart(self) -> None:
        """Begin anew with nothing."""
        self._begin()
        self._file.truncate()

    def _begin(self) -> None:
        self._file.seek(0)
        self._sha, self.size = hashlib.sha256(), 0

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next bytes."""
        if not self.size:
            self.restart()
        self._file.write(piece)
        self._sha.update(piece)
        self.size += len(piece)

    def keep(self, expected: str | None = None) -> str:
        """Make the blob durable under its digest, which is returned.

        Raises:
            BlobError: the digest is not the one expected; nothing is left of the bytes.
        """
        if not self.size:
            self.restart()
        digest = self._sha.hexdigest()
        if expected is not None and digest != expected:
            self.restart()
            raise BlobError(f"the bytes have digest {digest[:12]}…, not {expected[:12]}…")
        self._file.flush()
        os.fsync(self._file.fileno())
        target = self._folder.path(digest)
        self.path.rename(target)
        self.kept = True
        self._folder.wrote(digest, os.fstat(self._file.fileno()))
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too, must survive a power cut: events refer to it
        finally:
            os.close(folder)
        return digest


def _owned(path: Path) -> IO[bytes] | None:
    """A file for the first bytes of a blob that nobody else writes to until it is closed; None where somebody does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    file = os.fdopen(handle, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):  # who had it may just have kept or removed it
            return file
    except OSError:
        pass
    file.close()
    return None


def _mark(status: os.stat_result) -> _Mark:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
