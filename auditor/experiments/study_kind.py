"""Which kind of study a file is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, cast

from auditor.job.errors import JobError, Problem, nearest
from auditor.job.job_file import read_text
from auditor.job.key_lines import key_lines, nearest_line

StudyKind = Literal["evolution", "theory"]
KINDS: tuple[StudyKind, ...] = ("evolution", "theory")


def study_kind(path: Path) -> StudyKind:
    """The `kind` of a study file: of models that keep learning if it names none.

    Raises:
        JobError: it cannot be read, or names a kind that there is not.
    """
    text = read_text(path)
    try:
        kind = tomllib.loads(text).get("kind", KINDS[0])
    except (ValueError, RecursionError):
        return KINDS[0]  # what reads it says what is wrong
    if kind not in KINDS:
        message = f"{kind!r} is not allowed; use {' or '.join(map(repr, KINDS))}."
        suggestion = nearest(kind, KINDS) if isinstance(kind, str) else None
        line = nearest_line(key_lines(text), ("kind",))
        raise JobError(str(path), [Problem(message, key="kind", line=line, suggestion=suggestion)])
    return cast("StudyKind", kind)
