"""A plugin that lies in a single file, which the job names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from auditor.base.user_file import UserFileError, read_user_text
from auditor.job.named_file import NamedFileError

MAX_BYTES = 1 << 20
"""No plugin needs more source text; a larger file is something else, given by mistake."""


class PluginFile(BaseModel):
    """A Python file with plugins, as it was when it was read.

    The text itself is part of the job, and so of the run that is kept: a run that is resumed after the file was
    changed goes on with the plugin that it began with, on every path that a plugin takes.

    Attributes:
        path: where it was read, absolute.
        source: its text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str
    source: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hexadecimal digits."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def identity(self) -> str:
        """What tells this text at this path from every other, in 32 hexadecimal digits."""
        return hashlib.sha256(f"{self.path}\0{self.source}".encode()).hexdigest()[:32]

    @property
    def drift(self) -> str | None:
        """What became of the file since it was read, in words; None if it is as it was."""
        try:
            now = read_plugin_file(Path(self.path))
        except PluginFileError as error:
            return str(error)
        return None if now.source == self.source else "has been changed"


class PluginFileError(NamedFileError):
    """A path that does not lead to a plugin; the message says why, as the rest of a sentence."""


def read_plugin_file(path: Path) -> PluginFile:
    """Read a plugin from a single file. Nothing in it is executed.

    Raises:
        PluginFileError: it cannot be one.
    """
    if path.suffix != ".py":
        raise PluginFileError("is not a Python file; its name should end in .py")
    try:
        path = path.expanduser().resolve()
        str(path).encode()
        return PluginFile(path=str(path), source=_plugin_text(path))
    except UnicodeEncodeError:
        raise PluginFileError("has a path that is not UTF-8 text; rename it or its folder") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise PluginFileError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _plugin_text(path: Path) -> str:
    try:
        return read_user_text(path, MAX_BYTES)
    except UserFileError as error:
        raise PluginFileError("does not exist" if error.missing else str(error)) from None
