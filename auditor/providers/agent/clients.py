"""The checkpoints that an agent keeps, each client's apart from all others'.

What one client gives up is no business of another that happens to hold the same bytes, and nobody learns by a digest
what others have. They lie in files, so that an agent that is started again still owes what it owed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Set
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from auditor.providers.agent.limits import Full, Limits
from auditor.providers.agent.temporary_files import FOLDER as TEMPORARY_FILES
from auditor.store.blobs import PARTIAL, BlobFolder, IncomingBlob

FOLDER = "clients"
BLOBS = "blobs"
TOSSES = "tosses"

REMEMBERED = 64
"""Of so many clients an agent knows which checkpoints it has read and found sound; others' are read again."""


TOO_MANY = "this agent already keeps as many bytes of checkpoints as its owner allows"
TOO_MANY_OF_ONE = "this agent already keeps as many bytes of checkpoints for this client as its owner allows"


class Clients:
    """All clients of an agent, each known by its secret word.

    Args:
        folder: of the agent.
        limits: of all clients together.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder / FOLDER
        self._limits = limits
        self._lock = threading.Lock()
        self._coming = 0
        self._arriving: set[Path] = set()
        self._blob_folder = lru_cache(REMEMBERED)(BlobFolder)
        for left_over in self._folder.glob(f"*/{BLOBS}/.*"):  # of what a crash cut off
            if not left_over.name.startswith(PARTIAL):
                left_over.unlink(missing_ok=True)

    def blobs(self, word: str) -> BlobFolder:
        """The checkpoints of a client, who is remembered from now on as having asked now."""
        return self._blob_folder(self._asking(word) / BLOBS)

    def tosses(self, word: str) -> Path:
        """The folder with what the agent remembers of a client's tosses, which need not be there; likewise."""
        return self._asking(word) / TOSSES

    def all_tosses(self) -> int:
        """How many tosses of all clients are remembered."""
        return sum(1 for _ in self._folder.glob(f"*/{TOSSES}/[0-9a-f]*"))

    @contextmanager
    def receive(self, word: str, digest: str | None = None) -> Iterator[Room]:
        """Room for a checkpoint that comes from a client.

        Args:
            word: the client's.
            digest: of the checkpoint, where its first bytes are to stay if it breaks off.
        """
        self._folder_of(word).mkdir(parents=True, exist_ok=True)
        blobs = self.blobs(word)
        arriving: AbstractContextManager[IncomingBlob] = blobs.receive() if digest is None else blobs.resume(digest)
        with arriving as incoming, self._arrives(incoming.path):
            room = Room(self, incoming, self._left(), self._own_left(word))
            try:
                yield room
            except Full:
                incoming.restart()
                raise
            finally:
                self.coming(-room.counted)

    def keep(self, word: str, pieces: Iterable[bytes | memoryview]) -> str:
        """Keep a checkpoint that a client is owed; returns its digest.

        Raises:
            Full: the agent holds as much as it may, or its disk takes no more.
        """
        try:
            with self.receive(word) as room:
                for piece in pieces:
                    room.write(piece)
                return room.incoming.keep()
        except OSError as error:
            raise Full(f"this agent cannot store a checkpoint: {error.strerror or type(error).__name__}") from None

    def forget(self, busy: Set[str]) -> None:
        """Forget clients that have not asked for long and have no run under way.

        Args:
            busy: the words of those that have one.
        """
        kept = {self._folder_of(word).name for word in busy}
        for folder in self._folder.glob("*"):
            with suppress(OSError):
                if folder.name not in kept and time.time() - folder.stat().st_mtime > self._limits.forget_seconds:
                    shutil.rmtree(folder, ignore_errors=True)
        self.drop_partials(older_than=self._limits.partial_seconds)

    def drop_partials(self, older_than: float = 0.0, of: Path | None = None) -> int:
        """Forget the first bytes of uploads that broke off so many seconds ago; returns how many they were.

        Args:
            older_than: seconds.
            of: the folder with one client's checkpoints; all clients' if it is None.
        """
        freed = 0
        for file in (of or self._folder).glob(f"{PARTIAL}*" if of else f"*/{BLOBS}/{PARTIAL}*"):
            with suppress(OSError):
                found = file.stat()
                if file not in self._arriving and time.time() - found.st_mtime >= older_than:
                    file.unlink()
                    freed += found.st_size
        return freed

    @contextmanager
    def _arrives(self, path: Path) -> Iterator[None]:
        """Note that a file grows: its bytes are counted as they come."""
        with self._lock:
            self._arriving.add(path)
        try:
            yield
        finally:
            with self._lock:
                self._arriving.discard(path)

    def coming(self, size: int) -> int:
        """Note that bytes are on their way, or no longer; returns how many are."""
        with self._lock:
            self._coming += size
            return self._coming

    def _left(self) -> int:
        """Bytes that may still come, those on their way not counted."""
        sizes = []
        for file in self._kept():
            with suppress(FileNotFoundError):  # its client let go of it while we looked
                sizes.append(file.stat().st_size)
        if len(sizes) >= self._limits.checkpoints:
            if self.drop_partials():
                return self._left()
            raise Full(
                f"this agent already keeps {self._limits.checkpoints:,} checkpoints, the most that its owner allows"
            )
        return self._limits.bytes - sum(sizes)

    def _own_left(self, word: str) -> int:
        """Bytes that may still come from one client, or be made for it."""
        sizes = []
        for file in self._kept_in(self._folder_of(word) / BLOBS):
            with suppress(FileNotFoundError):
                sizes.append(file.stat().st_size)
        return self._limits.client_bytes - sum(sizes)

    def _kept(self) -> Iterator[os.DirEntry[str]]:
        for folder in self._folder.glob(f"*/{BLOBS}"):
            yield from self._kept_in(folder)

    def _kept_in(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        """The checkpoints in a folder that need not be there, and the beginnings of some."""
        with suppress(OSError), os.scandir(folder) as entries:
            yield from (entry for entry in entries if self._counts(entry))

    def _counts(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file takes room that nothing on its way was counted for."""
        begun = entry.name.startswith(PARTIAL) and Path(entry.path) not in self._arriving
        return begun or not entry.name.startswith(".")

    def _asking(self, word: str) -> Path:
        """The folder of a client who asks for something now."""
        folder = self._folder_of(word)
        with suppress(OSError):
            os.utime(folder)
        return folder

    def _folder_of(self, word: str) -> Path:
        return self._folder / hashlib.sha256(word.encode()).hexdigest()[:32]


class Room:
    """A checkpoint on its way, of which not more is taken than there is room for.

    Attributes:
        incoming: where it goes.
        counted: its bytes as far as others are told of them.
    """

    def __init__(self, clients: Clients, incoming: IncomingBlob, left: int, own_left: int) -> None:
        self._clients = clients
        self._left = left
        self._own_left = own_left
        self.incoming = incoming
        self.counted = 0

    def take_up(self, offset: int) -> bool:
        """Go on after the first `offset` bytes, which came before; whether just these are there.

        Raises:
            Full: they are too many.
        """
        if not offset:
            return True
        there = self.incoming.take_up()
        self._count()
        return there == offset

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            Full: they are too many.
        """
        self.incoming.write(piece)
        self._count()

    def expect(self, more: int) -> None:
        """Make sure that there is room for so many bytes more, before they come.

        Raises:
            Full: there is not.
        """
        if self._clients.coming(0) + more > self._left:
            self._left += self._clients.drop_partials()
        if self._clients.coming(0) + more > self._left:
            raise Full(TOO_MANY)
        if self.incoming.size + more > self._own_left:
            self._own_left += self._clients.drop_partials(of=self.incoming.path.parent)
        if self.incoming.size + more > self._own_left:
            raise Full(TOO_MANY_OF_ONE)

    def _count(self) -> None:
        more = self.incoming.size - self.counted
        self.counted = self.incoming.size
        self._clients.coming(more)
        self.expect(0)


def clear_clients(folder: Path) -> None:
    """Forget all checkpoints of an agent with this folder, and its temporary files."""
    for name in (FOLDER, TEMPORARY_FILES):
        shutil.rmtree(folder / name, ignore_errors=True)
