"""What is wrong with a job file, said so that it can be mended at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_PROBLEMS = 20
"""Problems beyond this many are counted but not listed; the user corrects the first ones first."""

_LONG_WORD = re.compile(r"\S{401,}")
_MESSAGE = 1500
_KEY = 200


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

    def __post_init__(self) -> None:
        """Make the text from the job file visible and shorten it, because a message can quote any of it."""
        object.__setattr__(self, "message", readable(self.message))
        object.__setattr__(self, "key", _shortened(visible(self.key), _KEY))

    def describe(self, source: str) -> str:
        """The problem as one line that starts with `source` and the line number."""
        source = visible(source)
        place = source if self.line is None else f"{source}:{self.line}"
        key = f" {self.key}:" if self.key else ""
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place}:{key} {self.message}{hint}"


class JobError(Exception):
    """A job that cannot be run as it is written.

    Attributes:
        source: the file's name, as the user gave it.
        problems: what was found wrong, in the order of the file; the last one counts those that are too many to tell.
    """

    def __init__(self, source: str, problems: Iterable[Problem], beyond: int = 0) -> None:
        self.source = source
        found = sorted(problems, key=lambda problem: problem.line or 0)
        self.problems = found[:MAX_PROBLEMS]
        if more := beyond + len(found) - len(self.problems):
            self.problems.append(Problem(f"{more:,} more problems are not shown; correct these first."))
        super().__init__("\n".join(problem.describe(source) for problem in self.problems))


def visible(text: str) -> str:
    """A text in which what would be invisible, or would change how the rest is shown, is written as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def readable(text: str) -> str:
    """A sentence about something that a user gave, made visible; what is too long to be read is shortened."""
    words = _LONG_WORD.sub(lambda found: f"{found.group()[:300]}…{found.group()[-60:]}", visible(text))
    return _shortened(words, _MESSAGE)


def value_text(value: object, limit: int = 60) -> str:
    """A value of a job file in at most `limit` characters."""
    try:
        return _shortened(repr(value), limit)
    except (ValueError, RecursionError):  # an integer with more digits than Python writes
        return f"this {type(value).__name__}"


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is like it."""
    if len(word) > 100:  # no word that is known is like it, and comparing takes the product of the lengths
        return None
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None
