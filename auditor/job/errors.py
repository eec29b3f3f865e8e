"""What is wrong with a job file, said so that it can be mended at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a job.

    Attributes:
        message: what is wrong and what is allowed, as one sentence.
        key: the dotted key at fault, such as `providers.0.endpoint`; empty for the whole file.
        line: its line in the file, counted from 1; None when the job has no text.
        suggestion: the nearest known word, if one is near.
    """

    message: str
    key: str = ""
    line: int | None = None
    suggestion: str | None = None

    def describe(self, source: str) -> str:
        """The problem as one line that starts with `source` and the line number."""
        place = source if self.line is None else f"{source}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place}:{key} {self.message}{hint}"


class JobError(Exception):
    """A job that cannot be run as it is written.

    Attributes:
        source: the file's name, as the user gave it.
        problems: everything found wrong, in the order of the file.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = sorted(problems, key=lambda problem: problem.line or 0)
        super().__init__("\n".join(problem.describe(source) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is like it."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
