"""Reading sentences and labels from a tab-separated file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.base.user_file import UserFileError, open_user_file
from auditor.tasks.errors import TrainingError

MAX_LINE_BYTES = 1 << 16
"""A longer line is no sentence but a file of another kind."""

MAX_LINES = 10_000_000
MAX_FILE_BYTES = 1 << 31

MAX_WORDS = 1_000
"""More different words in the place of labels are no classes; most likely the columns are swapped."""

HEADERS = {"label", "labels", "class", "category", "target", "sentiment", "polarity"}
"""What a header calls the second column."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class Sentence:
    """A line of the file.

    Attributes:
        text: the sentence, with single spaces and none around it.
        label: as written.
        line: its number, counted from 1.
    """

    text: str
    label: str
    line: int


class SentenceFile:
    """The sentences of a file, each on a line with a tab and its label, whose labels are integers or words.

    The first line is a header if its label is one of `HEADERS`, or if it is not an integer and no other line has
    it. A class of a single sample looks like the name of a column, and could not be learned either.

    The file is UTF-8, with or without a byte-order mark; lines end in LF or CRLF, and empty lines are passed over.

    Args:
        path: of the file.
        classes: the words that are labels, if they are known from another file; they then tell the header, too.

    Raises:
        TrainingError: it is not such a file; names it, the line, and what is wrong with it.
    """

    def __init__(self, path: Path, classes: tuple[str, ...] | None = None) -> None:
        self._origin = f"tsv:{path}"
        sentences = list(self._read(path))
        if sentences and self._is_header(sentences, classes):
            del sentences[0]
        if len(sentences) < 2:
            raise TrainingError(f"{self._origin}: give at least two lines, each with a sentence, a tab and a label.")
        self.texts = [sentence.text for sentence in sentences]
        self.classes = classes if classes is not None else self._find_classes(sentences)
        """The words that are labels, sorted; none when labels are integers."""
        self.labels = self._number(sentences)

    def _read(self, path: Path) -> Iterator[Sentence]:
        number = size = 0
        try:
            with open_user_file(path, MAX_FILE_BYTES) as file:
                while content := file.readline(MAX_LINE_BYTES + 1):
                    number += 1
                    size += len(content)
                    if size > MAX_FILE_BYTES:
                        raise self._error(
                            number, f"begins after {MAX_FILE_BYTES:,} bytes, which is the most that is read"
                        )
                    self._check_size(content, number)
                    text = content.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                    if text.strip():
                        yield self._split(text, number)
        except UserFileError as error:
            what = "there is no such file" if error.missing else str(error)
            raise TrainingError(f"{self._origin}: {what}.") from None
        except UnicodeDecodeError:
            raise self._error(number, "is not UTF-8 text; save the file as UTF-8") from None
        except OSError as error:
            raise TrainingError(f"{self._origin}: cannot be read: {error.strerror or error}.") from None

    def _check_size(self, content: bytes, number: int) -> None:
        if len(content) > MAX_LINE_BYTES:
            raise self._error(number, f"is longer than {MAX_LINE_BYTES:,} bytes; is this a file of sentences?")
        if number > MAX_LINES:
            raise self._error(number, f"is one line too many; at most {MAX_LINES:,} are read")

    def _split(self, text: str, number: int) -> Sentence:
        fields = text.split("\t")
        if len(fields) != 2:
            found = f"{len(fields)} columns" if len(fields) > 2 else "no tab"
            raise self._error(number, f"has {found}; a line is a sentence, a tab and a label")
        sentence, label = (" ".join(field.split()) for field in fields)
        if not sentence or not label:
            raise self._error(number, f"has no {'label' if sentence else 'sentence'}")
        return Sentence(sentence, label, number)

    def _is_header(self, sentences: list[Sentence], classes: tuple[str, ...] | None) -> bool:
        label = sentences[0].label
        if label.lower() in HEADERS:
            return True
        if _INTEGER.fullmatch(label) or label in (classes or ()):
            return False
        return not any(sentence.label == label for sentence in sentences[1:])

    def _find_classes(self, sentences: list[Sentence]) -> tuple[str, ...]:
        first = sentences[0]
        numbered = _INTEGER.fullmatch(first.label) is not None
        for sentence in sentences:
            if (_INTEGER.fullmatch(sentence.label) is not None) != numbered:
                kinds = ("an integer", "a word") if numbered else ("a word", "an integer")
                raise self._error(
                    sentence.line,
                    f"has {kinds[1]} for a label, {_shown(sentence.label)}, and line {first.line} has {kinds[0]}; "
                    "make all labels integers, or all words",
                )
        words = () if numbered else tuple(sorted({sentence.label for sentence in sentences}))
        if len(words) > MAX_WORDS:
            raise TrainingError(
                f"{self._origin}: holds {len(words):,} different labels, such as {_shown(first.label)} in line "
                f"{first.line}; at most {MAX_WORDS:,} can be classes. Each line must give the sentence first, then the "
                "label."
            )
        return words

    def _number(self, sentences: list[Sentence]) -> list[int]:
        numbers = {word: number for number, word in enumerate(self.classes)}
        labels = []
        for sentence in sentences:
            label = numbers.get(sentence.label) if self.classes else _integer(sentence.label)
            if label is None or label < 0:
                words = ", ".join(word[:40] for word in self.classes[:10])
                allowed = f"one of {words}" if words else "an integer from 0 upwards"
                raise self._error(sentence.line, f"has the label {_shown(sentence.label)}, which is not {allowed}")
            labels.append(label)
        return labels

    def _error(self, line: int, what: str) -> TrainingError:
        return TrainingError(f"{self._origin}: line {line} {what}.")


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _shown(label: str) -> str:
    shown = repr(label)
    return shown if len(shown) <= 40 else shown[:39] + "…'"
