"""Files that are no job, and files that are one however they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.job import JobError, load_job, parse_job
from auditor.job.job_file import MAX_BYTES
from auditor.job.text import TextTask
from tests.job.good import GOOD, changed, only_problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a = [\n1\n", "not valid TOML", id="unclosed"),
        pytest.param("[task]\ndataset digits\n", "not valid TOML", id="no equals sign"),
        pytest.param("a = 1\na = 2\n", "not valid TOML", id="key twice"),
        pytest.param("a = " + "[" * 5_000 + "]" * 5_000, "deeply", id="deeply nested"),
        pytest.param("seed = " + "1" * 5_000, "number", id="endless number"),
    ],
)
def test_text_that_cannot_be_parsed_is_a_job_error(text: str, words: str) -> None:
    assert words in only_problem(text).message


def test_a_syntax_error_names_its_line() -> None:
    assert only_problem("[task]\ndataset digits\n").line == 2


def test_lines_are_counted_as_editors_count_them() -> None:
    strange = 'note = """a\u2028b\n]# " not the end\n"""  # [ {\n\n# comment [\n"sed" = 1\n'
    with pytest.raises(JobError) as caught:
        parse_job(strange + GOOD)
    assert [(problem.key, problem.line) for problem in caught.value.problems] == [("note", 1), ("sed", 6)]


def test_windows_line_ends_and_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_job(path) == parse_job(GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + changed('"digits"', '"digts"').replace("\n", "\r\n").encode())
    with pytest.raises(JobError) as caught:
        load_job(path)
    assert caught.value.problems[0].line == 2


def test_a_long_file_of_something_else_is_refused_at_once() -> None:
    text = "".join(f'[[package]]\nname = "crate-{index}"\nversion = "1.0"\n\n' for index in range(5_000))
    with pytest.raises(JobError) as caught:
        parse_job(text)
    assert [(problem.key, problem.line) for problem in caught.value.problems if problem.line] == [("package", 1)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="No such file") as caught:
        load_job(tmp_path / "none.toml")
    assert caught.value.source == str(tmp_path / "none.toml")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is a folder, not a file"):
        load_job(tmp_path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"name = '\xff'\n")
    with pytest.raises(JobError, match="not UTF-8"):
        load_job(path)


def test_a_huge_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(b"\xff" * (MAX_BYTES + 1))
    with pytest.raises(JobError, match=f"has more than {MAX_BYTES:,} bytes"):
        load_job(path)


def test_a_dataset_path_is_relative_to_the_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    for written, meant in (
        ("tensors:data/a.safetensors", f"tensors:{tmp_path.resolve()}/data/a.safetensors"),
        ("images:../pictures", f"images:{tmp_path.resolve().parent}/pictures"),
        ("tensors:/elsewhere/a", "tensors:/elsewhere/a"),
        ("images:~/a", f"images:{(Path.home() / 'a').resolve()}"),
        ("torchvision:CIFAR10", "torchvision:CIFAR10"),
        ("digits", "digits"),
    ):
        path.write_text(changed('"digits"', f'"{written}"'))
        assert load_job(path).task.source_of("training part") == f"dataset = {meant!r}"


def test_all_paths_of_a_text_task_are_relative_to_the_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    keys = 'kind = "text"\ndataset = "tsv:a.tsv"\nheld_out = "tsv:../b.tsv"\ntokenizer = "c/d:e.json"'
    path.write_text(changed('dataset = "digits"', keys))
    here, task = tmp_path.resolve(), load_job(path).task
    assert isinstance(task, TextTask)
    assert task.dataset == f"tsv:{here}/a.tsv"
    assert task.held_out == f"tsv:{here.parent}/b.tsv"
    assert task.tokenizer == f"{here}/c/d:e.json"
    assert type(task).model_validate_json(task.model_dump_json()) == task
