"""Rows of text files: tab-separated, comma-separated, or JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.base.user_file import UserFileError, open_user_file
from auditor.job.errors import visible
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark

MAX_LINE_BYTES = 1 << 16
"""A longer line is no sentence but a file of another kind."""

MAX_LINES = 10_000_000
MAX_FILE_BYTES = 1 << 31
MAX_COLUMNS = 1_000
NESTED = "\0"
"""Stands for a list or an object in JSON lines, which only columns that nobody reads may have."""

QUOTED = re.compile(r'"(?:[^"]|"")*"')
SPREADSHEET = re.compile(r"sep=([,;\t|])")
"""A first line that some spreadsheets write, with the delimiter."""

DELIMITERS = ",;\t|"
SNIFFED_ROWS = 50
"""The rows that show which delimiter a CSV file has; spreadsheets of some countries write semicolons."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        cells: as written, without spaces around them.
        line: the number of the line that it begins on, counted from 1.
    """

    cells: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Table:
    """A file's rows.

    Attributes:
        origin: how messages call the file, such as `tsv:PATH`.
        rows: in the order of the file, the header among them if it is one.
        header: the names of the columns where the format has them (JSON lines); None where the first row may be one.
        delimiter: what parts the cells; None for JSON lines.
        remarks: what was converted.
    """

    origin: str
    rows: tuple[Row, ...]
    header: tuple[str, ...] | None
    delimiter: str | None
    remarks: tuple[Remark, ...] = ()

    def error(self, line: int, what: str) -> TrainingError:
        """What is wrong with a line, as the rest of a sentence that begins with it."""
        return TrainingError(f"{self.origin}: line {line} {what}.")


def read_table(name: str) -> Table:
    """Read a file.

    The file is UTF-8, with or without a byte-order mark; empty lines are passed over.

    Args:
        name: `tsv:PATH`, `csv:PATH` or `jsonl:PATH`.

    Raises:
        TrainingError: it is not such a file; names it, the line, and what is wrong with it.
    """
    kind, _, path = name.partition(":")
    lines = _Lines(Path(path), name)
    if kind == "jsonl":
        return _json_lines(lines, name)
    if kind == "csv":
        return _csv(lines, name)
    return _tsv(lines, name)


class _Lines:
    """The lines of a file with their numbers, decoded and bounded."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin

    def __iter__(self) -> Iterator[tuple[int, str]]:
        number = size = 0
        try:
            with open_user_file(self._path, MAX_FILE_BYTES) as file:
                while content := file.readline(MAX_LINE_BYTES + 1):
                    number, size = number + 1, size + len(content)
                    self._check(number, len(content), size)
                    yield number, content.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UserFileError as error:
            what = "there is no such file" if error.missing else str(error)
            raise TrainingError(f"{self._origin}: {what}.") from None
        except UnicodeDecodeError:
            raise self._error(number, "is not UTF-8 text; save the file as UTF-8") from None
        except OSError as error:
            raise TrainingError(f"{self._origin}: cannot be read: {error.strerror or error}.") from None

    def _check(self, number: int, length: int, size: int) -> None:
        if size > MAX_FILE_BYTES:
            raise self._error(number, f"begins after {MAX_FILE_BYTES:,} bytes, which is the most that is read")
        if length > MAX_LINE_BYTES:
            raise self._error(number, f"is longer than {MAX_LINE_BYTES:,} bytes; is this a file of sentences?")
        if number > MAX_LINES:
            raise self._error(number, f"is one line too many; at most {MAX_LINES:,} are read")

    def _error(self, line: int, what: str) -> TrainingError:
        return TrainingError(f"{self._origin}: line {line} {what}.")


def _tsv(lines: _Lines, origin: str) -> Table:
    """Sentences hold quotes, so that these mean nothing between tabs; unless all cells are in quotes."""
    rows = [Row(_stripped(text.split("\t")), number) for number, text in lines if text.strip()]
    if rows and all(QUOTED.fullmatch(cell) for row in rows for cell in row.cells if cell):
        rows = [Row(tuple(cell[1:-1].replace('""', '"') for cell in row.cells), row.line) for row in rows]
        remark = Remark("converted", "all cells are in quotes, which were removed")
        return Table(origin, _checked(rows, origin), None, "\t", (remark,))
    return Table(origin, _checked(rows, origin), None, "\t")


def _csv(lines: _Lines, origin: str) -> Table:
    texts = [text for _, text in lines]
    named = SPREADSHEET.fullmatch(texts[0]) if texts else None
    if named is not None:
        texts[0] = ""  # an empty line, so that the numbers of the others stay
    delimiter = named[1] if named is not None else _delimiter(texts)
    reader = csv.reader((f"{text}\n" for text in texts), delimiter=delimiter, strict=True)
    rows = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(_stripped(cells), line))
            line = reader.line_num + 1
    except csv.Error as error:
        raise TrainingError(f"{origin}: the row that begins on line {line} is no CSV: {error}.") from None
    return Table(origin, _checked(rows, origin), None, delimiter)


def _delimiter(texts: Sequence[str]) -> str:
    """What parts most rows into the same number of cells, more than one; a comma where nothing does."""

    def agreement(delimiter: str) -> tuple[float, int]:
        try:
            reader = csv.reader((f"{text}\n" for text in texts[: 4 * SNIFFED_ROWS]), delimiter=delimiter)
            counts = [len(cells) for cells, _ in zip(reader, range(SNIFFED_ROWS), strict=False) if cells]
        except csv.Error:
            return 0.0, 0
        if not counts or counts[0] < 2:
            return 0.0, 0
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    return max(DELIMITERS, key=lambda delimiter: (agreement(delimiter), -DELIMITERS.index(delimiter)))


def _json_lines(lines: _Lines, origin: str) -> Table:
    header: tuple[str, ...] | None = None
    rows = []
    for number, text in lines:
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise TrainingError(f"{origin}: line {number} is not valid JSON; each line is one object.") from None
        if not isinstance(value, dict) or not value:
            raise TrainingError(f"{origin}: line {number} is no JSON object with keys.")
        if header is None:
            header = tuple(value)
        if missing := [key for key in header if key not in value]:
            words = f"has no key {visible(missing[0])!r}, which the first line has"
            raise TrainingError(f"{origin}: line {number} {words}.")
        rows.append(Row(tuple(_cell(value[key]) for key in header), number))
    return Table(origin, _checked(rows, origin), header or (), None)


def _cell(value: Any) -> str:
    """A JSON value as text; `NESTED` for a list or an object."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return NESTED
    return " ".join((value if isinstance(value, str) else json.dumps(value)).split())


def _stripped(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(" ".join(cell.split()) for cell in cells)


def _checked(rows: Sequence[Row], origin: str) -> tuple[Row, ...]:
    """The rows, if all have the same number of cells, and more than one."""
    if not rows:
        raise TrainingError(f"{origin}: the file has no rows.")
    while len(rows[0].cells) > 2 and all(not row.cells[-1] for row in rows):
        rows = [Row(row.cells[:-1], row.line) for row in rows]  # a delimiter at the end of every line
    expected = len(rows[0].cells)
    for row in rows:
        found = len(row.cells)
        if found > MAX_COLUMNS:
            raise TrainingError(f"{origin}: line {row.line} has {found:,} columns; at most {MAX_COLUMNS:,} are read.")
        if found < 2:
            what = "no tab" if origin.startswith("tsv:") else "one column"
            raise TrainingError(f"{origin}: line {row.line} has {what}; a row is a text and a label.")
        if found != expected:
            raise TrainingError(
                f"{origin}: line {row.line} has {found} columns, and line {rows[0].line} has {expected}; give all rows "
                "the same columns."
            )
    return tuple(rows)
