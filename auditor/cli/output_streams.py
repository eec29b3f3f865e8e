"""The streams stdout and stderr: a run survives a closed terminal, a pipe that nobody reads and a full disk."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


class _LossyFile(io.FileIO):
    """A file that drops what cannot be written, and everything after it."""

    def write(self, data: io.ReadableBuffer) -> int:  # type: ignore[name-defined]
        """Write, or drop."""
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


@contextmanager
def lossy_output() -> Iterator[None]:
    """Write to stdout and stderr as long as that is possible, and go on without them when it is not.

    The store holds what happens in a run. That nobody watches any more is no reason to end it.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_lossy, before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def open_closed_streams() -> None:
    """Give a process that was started without stdout or stderr something to write to, and let both write any name.

    Python has nothing in the place of a stream that is closed, and refuses to write what is no text, such as the names
    of some files.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
            setattr(sys, name, nowhere)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _lossy(stream: TextIO) -> TextIO:
    try:
        stream.flush()
        number = stream.fileno()
    except (OSError, ValueError):
        return stream  # not of the system, such as one that a test reads
    file = io.BufferedWriter(_LossyFile(number, "w", closefd=False))
    return io.TextIOWrapper(file, encoding=stream.encoding, errors=stream.errors, line_buffering=True)
