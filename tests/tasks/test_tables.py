"""Tables of texts: the columns are found or named, and what cannot be meant is refused with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.tasks.data.dataset import Dataset
from auditor.tasks.errors import TrainingError
from tests.tasks.loading import load_dataset, network_task

TEXTS = [f"sentence number {number}" for number in range(12)]
LABELS = ["no", "yes"] * 6


def load(path: Path, content: str, **keys: Any) -> Dataset:
    path.write_text(content)
    dataset = f"{path.suffix[1:]}:{path}"
    return load_dataset(network_task("text", dataset=dataset, max_length=8, vocabulary_size=300, **keys))


def tsv(*columns: Sequence[str], header: Sequence[str] = ()) -> str:
    rows = [header, *zip(*columns, strict=True)] if header else zip(*columns, strict=True)
    return "".join("\t".join(row) + "\n" for row in rows)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def remarks(dataset: Dataset) -> str:
    return "; ".join(f"{remark.kind}: {remark.text}" for remark in dataset.inventory.remarks)


@pytest.fixture
def plain(tmp_path: Path) -> Dataset:
    return load(tmp_path / "plain.tsv", tsv(TEXTS, LABELS))


@pytest.mark.parametrize(
    ("name", "content", "keys"),
    [
        ("a.tsv", tsv(LABELS, TEXTS), {}),
        ("a.tsv", tsv(LABELS, TEXTS, header=("label", "text")), {}),
        ("a.tsv", tsv(TEXTS, LABELS, header=("0", "1")), {}),
        ("a.tsv", tsv(TEXTS, LABELS, header=("what", "which")), {"label_column": "which"}),
        ("a.tsv", tsv(TEXTS, LABELS, TEXTS), {"text_column": 0, "label_column": 1}),
        ("a.tsv", tsv(TEXTS, [f"{label}\t" for label in LABELS]), {}),
        ("a.tsv", tsv([quoted(text) for text in TEXTS], [quoted(label) for label in LABELS]), {}),
        ("a.csv", "sep=;\n" + "".join(f"{text};{label}\n" for text, label in zip(TEXTS, LABELS, strict=True)), {}),
        ("a.tsv", tsv(TEXTS, TEXTS, LABELS, header=("id", "review", "Label")), {}),
        ("a.tsv", tsv(TEXTS, TEXTS, LABELS, header=("id", "x", "y")), {"text_column": "x", "label_column": "Y"}),
        ("a.csv", "".join(f"{text},{label}\n" for text, label in zip(TEXTS, LABELS, strict=True)), {}),
        ("a.csv", "".join(f"{quoted(text)};{label}\r\n" for text, label in zip(TEXTS, LABELS, strict=True)), {}),
        ("a.csv", "text,label\n" + "".join(f"{quoted(t)},{lab}\n" for t, lab in zip(TEXTS, LABELS, strict=True)), {}),
        (
            "a.csv",
            ",text,label\n" + "".join(f"{i},{t},{lab}\n" for i, (t, lab) in enumerate(zip(TEXTS, LABELS, strict=True))),
            {},
        ),
        (
            "a.jsonl",
            "\n".join(json.dumps({"label": lab, "text": t}) for t, lab in zip(TEXTS, LABELS, strict=True)),
            {},
        ),
        (
            "a.jsonl",
            "\n".join(json.dumps({"id": 1, "x": t, "y": lab}) for t, lab in zip(TEXTS, LABELS, strict=True)),
            {"text_column": "x", "label_column": 2},
        ),
    ],
    ids=range(16),
)
def test_all_ways_to_arrange_columns_give_the_same_dataset(
    tmp_path: Path, plain: Dataset, name: str, content: str, keys: dict[str, Any]
) -> None:
    found = load(tmp_path / name, content, **keys)
    assert found.digest == plain.digest
    assert [known.name for known in found.inventory.classes] == ["no", "yes"]


def test_quotes_commas_and_line_ends_in_a_cell_of_csv_are_text(tmp_path: Path) -> None:
    rows = [(f'he said "{text}",\nand left', label) for text, label in zip(TEXTS, LABELS, strict=True)]
    found = load(tmp_path / "a.csv", "".join(f"{quoted(text)},{label}\n" for text, label in rows))
    same = load(tmp_path / "a.tsv", tsv([" ".join(text.split()) for text, _ in rows], LABELS))
    assert found.digest == same.digest


def test_quotes_in_a_tab_separated_file_are_text(tmp_path: Path) -> None:
    texts = [f'"{text}' for text in TEXTS]
    assert len(load(tmp_path / "a.tsv", tsv(texts, LABELS)).labels) == 11


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (["1", "2", "3", "4"] * 3, ["1", "2", "3", "4"], "converted: labels 1, 2, 3 and 1 more became classes 0 to 3"),
        (["0", "4"] * 6, ["0", "4"], "converted: labels 0, 4 became classes 0 to 1"),
        (["0", "1"] * 6, ["0", "1"], ""),
        (["10", "9"] * 6, ["9", "10"], "converted: labels 9, 10 became"),
    ],
)
def test_numbers_that_do_not_begin_at_0_or_have_gaps_are_classes_of_their_own_and_it_is_said(
    tmp_path: Path, labels: list[str], classes: list[str], words: str
) -> None:
    found = load(tmp_path / "a.tsv", tsv(TEXTS, labels))
    assert [known.name for known in found.inventory.classes] == classes
    assert found.classes == len(classes)
    assert words in remarks(found)
    assert words or "converted" not in remarks(found)


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        (tsv(TEXTS, [*LABELS[:-1], "nan"]), {}, "line 12 has the label 'nan', which stands for a missing value"),
        (tsv(TEXTS, [*LABELS[:-1], "N/A"]), {}, "line 12 has the label 'N/A', which stands for a missing value"),
        (
            tsv(TEXTS, [*LABELS[:-1], "Yes"]),
            {},
            "line 12 has the label 'Yes' and line 2 has 'yes', which differ",
        ),
        (
            tsv(TEXTS, ["0", "1"] * 5 + ["0", "01"]),
            {},
            "line 12 has the label '01' and line 2 has '1', which are",
        ),
        (tsv(TEXTS, TEXTS), {}, "12 rows have 12 different values in the first column and 12 in the second"),
        (tsv(TEXTS, TEXTS), {"label_column": 1}, "12 rows have 12 different labels"),
        (tsv(TEXTS, LABELS, LABELS), {}, r"has 3 columns \(0 to 2\). Set task.text_column and task.label_column to"),
        (
            tsv(TEXTS, LABELS, LABELS, header=("a", "b", "label")),
            {},
            r"has 3 columns \('a', 'b', 'label'\). Set task.text_c",
        ),
        (tsv(TEXTS, LABELS), {"label_column": 2}, "label_column = 2: columns are numbered from 0 to 1"),
        (tsv(TEXTS, LABELS, header=("a", "b")), {"label_column": "c"}, "label_column = 'c': the header has 'a', 'b'"),
        (tsv(TEXTS, LABELS), {"label_column": 0, "text_column": 0}, "are the same column"),
        (tsv(TEXTS, LABELS) + "one more\n", {}, "line 13 has no tab"),
        (tsv(TEXTS, LABELS) + "a\tb\tc\n", {}, "line 13 has 3 columns, and line 1 has 2"),
    ],
    ids=range(13),
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, content: str, keys: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        load(tmp_path / "a.tsv", content, **keys)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", 'text,label\n"open,yes\n', "the row that begins on line 2 is no CSV"),
        ("a.csv", "", "the file has no rows"),
        ("a.csv", "one\ntwo\n", "line 1 has one column"),
        ("a.jsonl", "{]\n", "line 1 is not valid JSON"),
        ("a.jsonl", "[" * 5000 + "\n", "line 1 is not valid JSON"),
        ("a.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}\n', "line 2 has no key 'label'"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": null}\n', "line 2 has no label"),
        (
            "a.jsonl",
            '{"text": "a", "label": 1}\n{"text": "b", "label": [1]}\n',
            "line 2 has a list or an object for",
        ),
        (
            "a.jsonl",
            '{"text": {}, "label": 1}\n{"text": "b", "label": 2}\n',
            "line 1 has a list or an object",
        ),
    ],
    ids=range(10),
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        load(tmp_path / name, content)


def test_a_held_out_file_has_the_classes_of_the_other_and_may_have_its_columns_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "dev.csv").write_text("label,text\nyes,a new one\nno,another\n")
    found = load(tmp_path / "a.tsv", tsv(TEXTS, LABELS), held_out=f"csv:{tmp_path / 'dev.csv'}")
    assert found.held_out_labels.tolist() == [1, 0]
    assert [(known.training, known.held_out) for known in found.inventory.classes] == [(6, 1), (6, 1)]
    (tmp_path / "dev.csv").write_text("label,text\nyes,a new one\nmaybe,another\n")
    with pytest.raises(TrainingError, match=r"dev\.csv: line 3 has the label 'maybe', which is not one of no, yes"):
        load(tmp_path / "a.tsv", tsv(TEXTS, LABELS), held_out=f"csv:{tmp_path / 'dev.csv'}")


def test_whole_numbers_with_a_point_are_integers_in_their_order_and_that_is_said(tmp_path: Path) -> None:
    numbers = [f"{number}.0" for number in range(12)] * 3
    texts = [f"sentence number {number}" for number in range(len(numbers))]
    found = load(
        tmp_path / "a.csv", "text,label\n" + "".join(f"{t},{n}\n" for t, n in zip(texts, numbers, strict=True))
    )
    assert found.class_names == tuple(map(str, range(12)))
    assert "converted: labels such as 0.0 are read as integers" in remarks(found)


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (["0.0", "1.0"] * 6, ("0", "1"), "converted: labels such as 0.0 are read as integers"),
        (["1.", "2.00"] * 6, ("1", "2"), "converted: labels 1, 2 became classes 0 to 1"),
        (["0", "1.0"] * 6, ("0", "1"), "converted: labels such as 1.0"),
        (["0.5", "1.0"] * 6, ("0.5", "1.0"), "note: labels are numbers such as 0.5; each different number is a class"),
        (["-1.0", "1.0"] * 6, ("-1.0", "1.0"), "note: labels are numbers such as -1.0"),
        (["v1.0", "v2.0"] * 6, ("v1.0", "v2.0"), ""),
    ],
)
def test_labels_with_a_point_are_integers_or_said_to_be_none(
    tmp_path: Path, labels: list[str], classes: tuple[str, ...], words: str
) -> None:
    for name, content in {
        "a.tsv": tsv(TEXTS, labels),
        "b.tsv": tsv(labels, TEXTS),
        "c.jsonl": "\n".join(json.dumps({"text": t, "label": n}) for t, n in zip(TEXTS, labels, strict=True)),
    }.items():
        found = load(tmp_path / name, content)
        assert found.class_names == classes
        assert len(found.labels) + len(found.held_out_labels) == len(TEXTS), "no row is taken for a header"
        assert words in remarks(found)
        assert words or not re.search("labels (such as|are numbers)", remarks(found))


def test_a_held_out_file_may_write_the_same_integers_with_a_point(tmp_path: Path) -> None:
    for name, content in {"dev.csv": "1.0,a new one\n0.0,another\n", "head.csv": "label,text\n1.0,a\n0.0,b\n"}.items():
        (tmp_path / name).write_text(content)
        found = load(tmp_path / "a.tsv", tsv(TEXTS, ["0", "1"] * 6), held_out=f"csv:{tmp_path / name}")
        assert found.held_out_labels.tolist() == [1, 0]


def test_a_class_that_is_missing_among_the_held_out_samples_is_said(tmp_path: Path) -> None:
    labels = ["no", "yes"] * 30 + ["rare"] * 2
    found = load(tmp_path / "a.tsv", tsv([f"sentence {number}" for number in range(len(labels))], labels))
    missing = [known.name for known in found.inventory.classes if known.held_out == 0]
    assert missing == ["rare"]
    assert "note: 1 class without held-out samples: rare" in remarks(found)
