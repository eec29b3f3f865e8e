"""Files that a job names by their path, and holds as they were when the job was read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError


class NamedFileError(Exception):
    """A path that does not lead to such a file; the message says why, as the rest of a sentence."""


def named_file(read: Callable[[Path], Any], wanted: str) -> BeforeValidator:
    """A validator for a key that names a file. A job file has a path; a job that was kept has what was read there.

    Args:
        read: reads the file of a path; raises `NamedFileError`.
        wanted: what the path must lead to, for an error.
    """

    def validate(value: Any, info: ValidationInfo) -> Any:
        folder = (info.context or {}).get("folder")
        if folder is None or value is None:
            return value
        message = f"must be the path of {wanted}"
        if isinstance(value, str):
            try:
                return read(folder / Path(value).expanduser())
            except (NamedFileError, RuntimeError) as error:  # a RuntimeError is the home of an unknown user
                message = f"{value!r} {error}"
        raise PydanticCustomError("named_file", "{message}.", {"message": message})

    return BeforeValidator(validate)
