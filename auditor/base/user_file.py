"""Opening what a user named: files alone, never a pipe or a device, and never more of one than was expected."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO


class UserFileError(Exception):
    """A path that does not lead to the file it should; the message says why, as the rest of a sentence.

    Attributes:
        missing: whether there is nothing at all.
    """

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.missing = missing


def typed_path(text: str) -> Path:
    """The path that somebody typed, with the home of a user in place of `~` or `~name`.

    Raises:
        UserFileError: nobody has this name.
    """
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError:
        user = text.strip().partition("/")[0].removeprefix("~")
        raise UserFileError(f"begins with the home of {user!r}, a user that this machine does not have") from None


def open_user_file(path: Path, most: int | None = None) -> IO[bytes]:
    """Open a file for reading.

    What a path leads to can be a pipe that nobody writes to, or a device that never ends. So it is opened without
    waiting, and looked at once it is open, when nobody can exchange it any more.

    Args:
        path: of the file.
        most: the bytes that it may have.

    Raises:
        UserFileError: it is something else, cannot be read, or is larger.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _unreadable(error) from None
    try:
        found = os.fstat(number)
        if stat.S_ISDIR(found.st_mode):
            raise UserFileError("is a folder, not a file")
        if not stat.S_ISREG(found.st_mode):
            raise UserFileError("is a pipe or a device, not a file")
        if most is not None and found.st_size > most:
            raise _too_large(most)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_user_file(path: Path, most: int) -> bytes:
    """The bytes of a file, `most` of them at most.

    Raises:
        UserFileError: it cannot be read, or is larger.
    """
    with open_user_file(path, most) as file:
        try:
            content = file.read(most + 1) or b""
        except OSError as error:
            raise _unreadable(error) from None
    if len(content) > most:  # some files have more than they say
        raise _too_large(most)
    return content


def read_user_text(path: Path, most: int) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark; every end of a line becomes a newline.

    Raises:
        UserFileError: it cannot be read, is larger than `most` bytes, or is not such text.
    """
    try:
        text = read_user_file(path, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserFileError("is not UTF-8 text") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _too_large(most: int) -> UserFileError:
    return UserFileError(f"has more than {most:,} bytes")


def _unreadable(error: OSError | ValueError) -> UserFileError:
    """Also of a path that none can be: with a NUL in it, or too long."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UserFileError(f"cannot be read: {reason}", missing=isinstance(error, FileNotFoundError))
