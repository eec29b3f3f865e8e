"""Texts with labels: which column holds which, what is a header, and which number a label gets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from auditor.job.errors import nearest, visible
from auditor.tasks.data.table_file import NESTED, Row, Table
from auditor.tasks.errors import TrainingError
from auditor.tasks.inventory import Remark, counted, few

LABEL_NAMES = {"label", "labels", "class", "category", "target", "sentiment", "polarity", "stars", "rating"}
"""What a header calls the column of labels."""

TEXT_NAMES = {"text", "texts", "sentence", "review", "content", "comment", "tweet", "message", "body", "question"}
"""What a header calls the column of texts."""

MISSING = {"nan", "null", "n/a", "#n/a", "<na>"}
"""What tools write where a label is missing, in lower case."""

MAX_WORDS = 1_000
"""More different labels are no classes; most likely the columns are swapped."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_WHOLE = re.compile(r"[+]?[0-9]{1,9}[.]0*")
"""An integer as tools write it that keep a column of numbers with gaps: `1.0`."""
_FRACTION = re.compile(r"[+-]?[0-9]*[.][0-9]+")

Column = int | str | None
"""A column as a job names it: by its header, by its number from 0, or not at all."""


@dataclass(frozen=True)
class LabelledTexts:
    """The texts of a file, each with the number of its class.

    Attributes:
        texts: with single spaces.
        labels: numbers of classes.
        classes: the labels as they are written, by number.
        remarks: what was decided and left out.
    """

    texts: Sequence[str]
    labels: Sequence[int]
    classes: tuple[str, ...]
    remarks: tuple[Remark, ...]


def labelled_texts(
    table: Table, text_column: Column = None, label_column: Column = None, classes: Sequence[str] | None = None
) -> LabelledTexts:
    """The texts and labels of a table.

    The columns are those that the job names, else those that a header names, else the first and the second, or the
    other way round where only the first can be labels. Labels are classes in the order of their numbers, or of the
    alphabet.

    Args:
        table: the file.
        text_column: the column of texts, if the job names it.
        label_column: the column of labels, if the job names it.
        classes: the labels that there may be, if they are known from another file.

    Raises:
        TrainingError: it has no texts with labels; names the line and what is wrong with it.
    """
    layout = _layout(table, text_column, label_column, classes)
    rows, text, label = layout.rows, layout.text, layout.label
    if len(rows) < 2:
        raise TrainingError(f"{table.origin}: give at least two rows, each with a text and a label.")
    _check_cells(table, rows, text, label)
    rows, noted = _numbered(rows, label)
    known = tuple(classes) if classes is not None else _classes(table, rows, label)
    numbers = {name: number for number, name in enumerate(known)}
    for row in rows:
        if row.cells[label] not in numbers:
            words = f"has the label {_shown(row.cells[label])}, which is not one of {few(known, 10)}"
            raise table.error(row.line, words)
    remarks = [*layout.remarks, *noted]
    if classes is None and known[0].lstrip("+").isdecimal() and known != tuple(map(str, range(len(known)))):
        remarks.append(Remark("converted", f"labels {few(known)} became classes 0 to {len(known) - 1}"))
    return LabelledTexts(
        tuple(row.cells[text] for row in rows),
        tuple(numbers[row.cells[label]] for row in rows),
        known,
        tuple(remarks),
    )


@dataclass(frozen=True)
class _Layout:
    """Which rows are samples, and which of their columns are texts and labels."""

    rows: tuple[Row, ...]
    text: int
    label: int
    remarks: tuple[Remark, ...]


def _layout(table: Table, text_column: Column, label_column: Column, classes: Sequence[str] | None) -> _Layout:
    named = isinstance(label_column, str) or isinstance(text_column, str)
    header, rows = _header(table, classes, named=named)
    text, label = _columns(table, header, rows, text_column, label_column, classes)
    if header is None and classes is None:
        header, rows = _rare_header(rows, label)
    remarks = [*table.remarks]
    if table.delimiter not in (None, "\t", ","):
        remarks.append(Remark("note", f"columns are separated by {table.delimiter!r}"))
    if header is not None and table.header is None:
        remarks.append(Remark("left out", f"the header in line {table.rows[0].line}: {few([*map(visible, header)])}"))
    if (text, label) != (0, 1) or len(table.rows[0].cells) > 2:
        names = [visible(repr(header[column])) if header else f"{column}" for column in (text, label)]
        remarks.append(Remark("note", f"texts are in column {names[0]} and labels in column {names[1]}"))
    return _Layout(rows, text, label, tuple(remarks))


def _header(
    table: Table, classes: Sequence[str] | None, *, named: bool
) -> tuple[tuple[str, ...] | None, tuple[Row, ...]]:
    """The names of the columns where there are some for certain, and the other rows."""
    if table.header is not None:
        return table.header, table.rows
    first = table.rows[0].cells
    words = {cell.lower() for cell in first}
    if named or words & LABEL_NAMES or first == tuple(map(str, range(len(first)))):
        return first, table.rows[1:]
    if classes is not None and not (words | {_whole(cell) for cell in words}) & {name.lower() for name in classes}:
        return first, table.rows[1:]
    return None, table.rows


def _rare_header(rows: tuple[Row, ...], label: int) -> tuple[tuple[str, ...] | None, tuple[Row, ...]]:
    """The first row as a header where its label is a word that no other row has.

    A class of one sample could not be told from the name of a column, and could not be learned either.
    """
    first = rows[0].cells[label]
    if not _can_be_labels([row.cells[label] for row in rows[1:]]):
        return None, rows
    if any(form.fullmatch(first) for form in (_INTEGER, _WHOLE, _FRACTION)) or any(
        row.cells[label] == first for row in rows[1:]
    ):
        return None, rows
    return rows[0].cells, rows[1:]


def _columns(
    table: Table,
    header: Sequence[str] | None,
    rows: Sequence[Row],
    text_column: Column,
    label_column: Column,
    classes: Sequence[str] | None,
) -> tuple[int, int]:
    """The columns of texts and of labels, counted from 0."""
    width = len(table.rows[0].cells)
    text = _column(table, header, width, text_column, "text_column")
    label = _column(table, header, width, label_column, "label_column")
    if header is not None:
        names = [name.lower() for name in header]
        label = label if label is not None else _only(names, LABEL_NAMES)
        text = text if text is not None else _only(names, TEXT_NAMES)
    if text is not None and text == label:
        raise TrainingError(f"{table.origin}: text_column and label_column are the same column; name two.")
    if width == 2:
        if label is None:
            label = 1 - text if text is not None else _label_of_two(table, rows, classes)
        return 1 - label, label
    if text is None or label is None:
        missing = [key for key, column in (("text_column", text), ("label_column", label)) if column is None]
        names_shown = few([visible(repr(name)) for name in header], 10) if header else f"0 to {width - 1}"
        raise TrainingError(
            f"{table.origin}: has {width} columns ({names_shown}). Set task.{' and task.'.join(missing)} to a name in "
            "the header or to a number from 0."
        )
    return text, label


def _column(table: Table, header: Sequence[str] | None, width: int, column: Column, key: str) -> int | None:
    if column is None:
        return None
    if isinstance(column, int):
        if not 0 <= column < width:
            raise TrainingError(f"{table.origin}: {key} = {column}: columns are numbered from 0 to {width - 1}.")
        return column
    names = list(header or ())
    if column in names:
        return names.index(column)
    alike = [index for index, name in enumerate(names) if name.lower() == column.lower()]
    if len(alike) == 1:
        return alike[0]
    hint = nearest(column, names)
    raise TrainingError(
        f"{table.origin}: {key} = {column!r}: the header has {few([visible(repr(name)) for name in names], 10)}."
        + (f" Did you mean {hint!r}?" if hint else "")
    )


def _only(names: Sequence[str], wanted: set[str]) -> int | None:
    found = [index for index, name in enumerate(names) if name in wanted]
    return found[0] if len(found) == 1 else None


def _label_of_two(table: Table, rows: Sequence[Row], classes: Sequence[str] | None) -> int:
    """Which of two columns holds labels: the second, unless only the first can."""
    if classes is not None:
        known = set(classes)
        return max(
            (1, 0), key=lambda column: sum(bool({row.cells[column], _whole(row.cells[column])} & known) for row in rows)
        )
    for column in (1, 0):
        if _can_be_labels([row.cells[column] for row in rows]):
            return column
    different = [len({row.cells[column] for row in rows}) for column in (0, 1)]
    raise TrainingError(
        f"{table.origin}: {counted(len(rows), 'row')} have {different[0]:,} different values in the first column and "
        f"{different[1]:,} in the second, such as {_shown(rows[0].cells[1])}. Labels repeat: most classes need several "
        "rows. Set task.label_column if the labels are somewhere else."
    )


def _can_be_labels(values: Sequence[str]) -> bool:
    different = len(set(values))
    return different <= MAX_WORDS and different <= max(2, len(values) / 2)


def _check_cells(table: Table, rows: Sequence[Row], text: int, label: int) -> None:
    for row in rows:
        if NESTED in (row.cells[text], row.cells[label]):
            what = "text" if row.cells[text] == NESTED else "label"
            raise table.error(row.line, f"has a list or an object for a {what}; give a text")
        if not row.cells[text] or not row.cells[label]:
            raise table.error(row.line, f"has no {'label' if row.cells[text] else 'sentence'}")
        if row.cells[label].lower() in MISSING:
            raise table.error(
                row.line,
                f"has the label {_shown(row.cells[label])}, which stands for a missing value; remove the line, or give "
                "it a label",
            )


def _numbered(rows: tuple[Row, ...], label: int) -> tuple[tuple[Row, ...], tuple[Remark, ...]]:
    """The rows with labels such as `1.0` as integers, where all are whole; and what is to be said of numbers."""
    values = {row.cells[label] for row in rows}
    whole = sorted(value for value in values if _WHOLE.fullmatch(value))
    if whole and all(_WHOLE.fullmatch(value) or _INTEGER.fullmatch(value) for value in values):
        cells = ((*row.cells[:label], _whole(row.cells[label]), *row.cells[label + 1 :]) for row in rows)
        changed = tuple(replace(row, cells=read) for row, read in zip(rows, cells, strict=True))
        return changed, (Remark("converted", f"labels such as {whole[0]} are read as integers"),)
    if all(_FRACTION.fullmatch(value) or _INTEGER.fullmatch(value) for value in values) and not all(
        map(_INTEGER.fullmatch, values)
    ):
        return rows, (Remark("note", f"labels are numbers such as {min(values)}; each different number is a class"),)
    return rows, ()


def _whole(value: str) -> str:
    """`1.0` as `1`; anything else as it is."""
    return str(int(value.partition(".")[0])) if _WHOLE.fullmatch(value) else value


def _classes(table: Table, rows: Sequence[Row], label: int) -> tuple[str, ...]:
    """The labels in their order; refused where they cannot be classes."""
    values = [row.cells[label] for row in rows]
    if not _can_be_labels(values):
        raise TrainingError(
            f"{table.origin}: {counted(len(rows), 'row')} have {len(set(values)):,} different labels, such as "
            f"{_shown(values[0])}. Labels repeat: most classes need several rows. Set task.label_column if the labels "
            "are somewhere else."
        )
    first = rows[0]
    numbered = _INTEGER.fullmatch(first.cells[label]) is not None
    for row in rows:
        if (_INTEGER.fullmatch(row.cells[label]) is not None) != numbered:
            kinds = ("an integer", "a word") if numbered else ("a word", "an integer")
            raise table.error(
                row.line,
                f"has {kinds[1]} for a label, {_shown(row.cells[label])}, and line {first.line} has {kinds[0]}; make "
                "all labels integers, or all words",
            )
        if numbered and int(row.cells[label]) < 0:
            raise table.error(
                row.line, f"has the label {_shown(row.cells[label])}, which is not an integer from 0 upwards"
            )
    different = set(values)
    if numbered:
        _check_alike(table, rows, label, lambda value: str(int(value)), "are the same number")
        return tuple(sorted(different, key=int))
    _check_alike(table, rows, label, _folded, "differ only in case or accents' encoding")
    return tuple(sorted(different))


def _check_alike(table: Table, rows: Sequence[Row], label: int, same: Callable[[str], str], what: str) -> None:
    """Refuse labels that are one to a person."""
    seen: dict[str, Row] = {}
    for row in rows:
        value = row.cells[label]
        earlier = seen.setdefault(same(value), row)
        if earlier.cells[label] != value:
            raise table.error(
                row.line,
                f"has the label {_shown(value)} and line {earlier.line} has {_shown(earlier.cells[label])}, which "
                f"{what}; write them alike",
            )


def _folded(value: str) -> str:
    return unicodedata.normalize("NFKC", value).casefold()


def _shown(label: str) -> str:
    shown = repr(label)
    return shown if len(shown) <= 40 else shown[:39] + "…'"
