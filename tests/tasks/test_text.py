"""Text datasets: sentences become the same token ids on every machine, and files that hold none are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from auditor.plugins import PADDING
from auditor.tasks.data.dataset import Dataset
from auditor.tasks.data.table_file import MAX_LINE_BYTES
from auditor.tasks.errors import TrainingError
from tests.tasks.loading import load_dataset, network_task

GOOD = ["a fine film", "what a joy", "the plot is clever", "warm and witty", "never dull", "i loved it"]
BAD = ["a dull film", "what a waste", "the plot is silly", "cold and slow", "never funny", "i hated it"]
ROWS = [(text, "1") for text in GOOD] + [(text, "0") for text in BAD]


def tsv(rows: list[tuple[str, str]], end: str = "\n") -> str:
    return "".join(f"{text}\t{label}{end}" for text, label in rows)


def load(path: Path, content: str | bytes | None = None, **task: Any) -> Dataset:
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_dataset(
        network_task("text", dataset=f"tsv:{path}", **{"vocabulary_size": 300, "max_length": 8, **task}), path
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.tsv"


def word_level(path: Path, texts: list[str]) -> str:
    """A tokenizer file that knows the words of the texts, and none else."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]"]))
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(2)
    tokenizer.save(str(path))
    return str(path)


def test_sentences_become_ids_that_end_in_padding(path: Path) -> None:
    dataset = load(path, tsv(ROWS))
    assert dataset.samples.dtype == torch.int64
    assert (len(dataset.samples), len(dataset.held_out_samples), dataset.classes) == (11, 1, 2)
    assert dataset.shape == (8,)
    tokenizer = dataset.tokenizer
    assert tokenizer is not None
    assert tokenizer.unknown is None
    known = {tokenizer.encode(text)[:8]: int(label) for text, label in ROWS}
    for row, label in zip(dataset.samples.tolist(), dataset.labels.tolist(), strict=True):
        ids = tuple(number for number in row if number != PADDING)
        assert row == [*ids, *[PADDING] * (8 - len(ids))]
        assert known[ids] == label
    assert 0 < int(dataset.samples.max()) < tokenizer.size


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(tsv([("sentence", "label"), *ROWS]), id="header"),
        pytest.param(tsv([("text", "stars"), *ROWS]), id="header of another name"),
        pytest.param(tsv(ROWS, "\r\n"), id="CRLF"),
        pytest.param(b"\xef\xbb\xbf" + tsv(ROWS).encode(), id="byte-order mark"),
        pytest.param(tsv(ROWS).replace("\n", "\n\n") + "  \n", id="empty lines"),
        pytest.param(tsv(ROWS).rstrip("\n"), id="no end of the last line"),
        pytest.param(tsv([(f"  {text.replace(' ', '   ')} ", f" {label} ") for text, label in ROWS]), id="more spaces"),
        pytest.param(tsv([(text.upper(), label) for text, label in ROWS]), id="upper case"),
        pytest.param(tsv([(text, {"1": "good", "0": "bad"}[label]) for text, label in ROWS]), id="words"),
        pytest.param(
            tsv([("review", "verdict"), *((text, {"1": "Good", "0": "Bad"}[label]) for text, label in ROWS)]),
            id="words with a header",
        ),
    ],
)
def test_all_ways_to_write_a_file_give_the_same_dataset(path: Path, content: str | bytes) -> None:
    assert load(path, content).digest == load(path, tsv(ROWS)).digest


def test_a_held_out_file_is_not_trained_on_and_has_the_classes_of_the_other(path: Path) -> None:
    words = [(text, {"1": "good", "0": "bad"}[label]) for text, label in ROWS]
    held_out = path.with_name("held out.tsv")
    held_out.write_text(tsv([("a fine plot", "good"), ("a slow plot", "bad"), ("a dull thing", "bad")]))
    dataset = load(path, tsv(words), held_out=f"tsv:{held_out}")
    assert len(dataset.samples) == 12
    assert dataset.held_out_labels.tolist() == [1, 0, 0]
    held_out.write_text(tsv([("a fine plot", "good"), ("a slow plot", "so-so"), ("a plot", "so-so")]))
    with pytest.raises(
        TrainingError, match=r"held out\.tsv: line 2 has the label 'so-so', which is not one of bad, good"
    ):
        load(path, held_out=f"tsv:{held_out}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "the file has no rows", id="empty"),
        pytest.param("sentence\tlabel\n", "at least two rows", id="header alone"),
        pytest.param(tsv(ROWS) + "no tab here\n", "line 13 has no tab; a row is a text and a label", id="no tab"),
        pytest.param(tsv(ROWS[:3]) + "a\tb\t1\n", "line 4 has 3 columns", id="three columns"),
        pytest.param(tsv(ROWS[:3]) + "\t1\n", "line 4 has no sentence", id="no sentence"),
        pytest.param(tsv(ROWS[:3]) + "words \t \n", "line 4 has no label", id="no label"),
        pytest.param(tsv(ROWS[:3]) + "x\t-1\n", "line 4 has the label '-1', .* integer from 0", id="negative"),
        pytest.param(tsv(ROWS[:3]) + "x\tgood\n", "line 4 has a word for .* and line 1 has an int", id="mixed"),
        pytest.param(tsv([("x", "yes")] * 3 + [("y", "1")]), "line 4 has an integer for", id="mixed words"),
        pytest.param(tsv(ROWS[:3]).encode() + b"caf\xe9\t1\n", "line 4 is not UTF-8 text", id="Latin-1"),
        pytest.param(tsv(ROWS).encode("utf-16"), "line 1 is not UTF-8 text", id="UTF-16"),
        pytest.param(tsv(ROWS[:3]) + "a" * MAX_LINE_BYTES + "\t1\n", "line 4 is longer than 65,5", id="huge line"),
        pytest.param(tsv([("x", str(10**8))] * 4), "all labels are '100000000'", id="huge label"),
        pytest.param(tsv([("x", "1" * 5000)] * 4), "at least two classes", id="endless label"),
        pytest.param(tsv([("x", "0")] * 4), "all labels are '0'; at least two classes are needed", id="one class"),
        pytest.param(
            tsv([(f"sentence {number}", f"label {number}") for number in range(1200)]),
            "1,200 rows have 1,200 different values in the first column and 1,200 in the second",
            id="a label for each row",
        ),
    ],
)
def test_a_file_that_makes_no_dataset_is_refused_with_file_and_line(
    path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(TrainingError, match=words) as caught:
        load(path, content)
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_are_named(path: Path) -> None:
    with pytest.raises(TrainingError, match=r"data\.tsv: there is no such file"):
        load(path)
    with pytest.raises(TrainingError, match=r"tokenizer .*none\.json: there is no such file"):
        load(path, tsv(ROWS), tokenizer=str(path.with_name("none.json")), vocabulary_size=None)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"version": "1.0", "model": {"type": "BPE"}}'])
def test_a_file_that_is_no_tokenizer_is_refused(path: Path, content: bytes) -> None:
    other = path.with_name("tokenizer.json")
    other.write_bytes(content)
    with pytest.raises(TrainingError, match=r"tokenizer\.json: (not a file of the library|is not UTF-8)"):
        load(path, tsv(ROWS), tokenizer=str(other), vocabulary_size=None)


def test_a_given_tokenizer_is_taken_as_it_is_but_for_padding_and_truncation(path: Path) -> None:
    file = word_level(path.with_name("tokenizer.json"), GOOD)
    dataset = load(path, tsv(ROWS), tokenizer=file, vocabulary_size=None)
    tokenizer = dataset.tokenizer
    assert tokenizer is not None
    library = Tokenizer.from_file(file)
    known = library.get_vocab()
    assert tokenizer.encode("the clever film") == tuple(known[word] + 1 for word in ("the", "clever", "film"))
    (unknown,) = tokenizer.encode("waste")
    assert tokenizer.unknown == unknown
    assert set(tokenizer.rarest_words(100)) == {word for text in GOOD for word in text.split() if len(word) > 1}
    assert dataset.digest != load(path, vocabulary_size=300).digest


def test_a_word_begins_where_white_space_ends(path: Path) -> None:
    dataset = load(path, tsv([(f"{text} indeed.", label) for text, label in ROWS]), max_length=16)
    assert dataset.tokenizer is not None
    ids = torch.tensor([[*dataset.tokenizer.encode("dull film."), PADDING]])
    begins = dataset.tokenizer.begins_word(ids)[0].tolist()
    assert begins[0]
    assert begins[-2:] == [False, False]
    assert sum(begins) == 2


def test_the_reviews_are_balanced_and_all_different() -> None:
    dataset = load_dataset(network_task("text", dataset="reviews"), Path())
    assert (len(dataset.samples), len(dataset.held_out_samples), dataset.classes) == (2700, 300, 2)
    everything = torch.cat([dataset.samples, dataset.held_out_samples])
    assert len(torch.unique(everything, dim=0)) == 3000
    assert 0.45 < float(dataset.labels.double().mean()) < 0.55
