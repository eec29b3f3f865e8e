"""Files that users name, and that others may have made: read, or an error in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.job import JobError, parse_job
from auditor.job.model import Job
from auditor.job.noise_file import NoiseFile, NoiseFileError, read_noise_file
from auditor.tasks.data.table_file import read_table
from auditor.tasks.errors import TrainingError
from tests.job.good import GOOD as GOOD_JOB
from tests.properties.foreign import damaged, json_bytes, texts, values

NOISE = {
    "format": 1,
    "key": "k",
    "dataset_digest": "d",
    "machine": "m",
    "noise": [{"metric": "update", "start": 0, "floor": 0.1, "size": None}],
}


@given(content=json_bytes(NOISE), start=st.integers(0, 2**53))
def test_a_noise_file_reads_the_same_again_or_is_none(content: bytes, start: int, tmp_path: Path) -> None:
    (path := tmp_path / "noise.json").write_bytes(content)
    try:
        noise = read_noise_file(path)
    except NoiseFileError:
        return
    found = noise.at("update", start)
    assert found is None or found.floor >= 0
    assert NoiseFile.model_validate_json(noise.model_dump_json()) == noise


LINES = st.lists(texts(60) | st.lists(texts(10), max_size=4).map("\t".join), max_size=8).map("\n".join)
ROWS = st.lists(st.dictionaries(st.sampled_from(["text", "label", "x"]), values(), max_size=3), max_size=5)
TABLES = (
    st.binary(max_size=300)
    | (LINES | st.lists(texts(60), max_size=8).map(",".join)).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | ROWS.map(lambda rows: "\n".join(map(json.dumps, rows)).encode())
    | st.sampled_from([b"[" * 60_000, b'{"a": ' + b"9" * 5000 + b"}", b"x" * 70_000, b'a,"' + b"x" * 140_000])
)


@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
@given(content=TABLES)
def test_a_table_has_even_rows_or_an_error_names_the_file(kind: str, content: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "table").write_bytes(content)
    try:
        table = read_table(f"{kind}:{path}")
    except TrainingError as error:
        assert str(error).startswith(f"{kind}:{path}")
        assert len(str(error)) < 2000
        return
    assert len({len(row.cells) for row in table.rows}) == 1
    assert [row.line for row in table.rows] == sorted(row.line for row in table.rows)


WORD = st.text("abcäöü '.,", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(rows=st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=6))
def test_rows_come_back_as_they_were_written(rows: list[tuple[str, str, str]], tmp_path: Path) -> None:
    (path := tmp_path / "table").write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    expected = [tuple(" ".join(cell.split()) for cell in row) for row in rows]
    assert [row.cells for row in read_table(f"tsv:{path}").rows] == expected


@given(text=texts() | damaged(GOOD_JOB.encode()).map(lambda content: content.decode(errors="replace")))
def test_a_job_file_is_a_job_that_reads_the_same_again_or_an_error_in_words(text: str) -> None:
    try:
        job = parse_job(text, source="job.toml")
    except JobError as error:
        assert str(error).replace("\n", "").isprintable()
        return
    assert Job.model_validate_json(job.model_dump_json()) == job
