"""A job names plugin files by their paths and holds their text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.job import Job, JobError, load_job
from tests.command import Auditor, job_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a job's neighbours; the working folder is another."""
    (tmp_path / "mine.py").write_text("NAME = 'ä'\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    return tmp_path


def written(folder: Path, plugins: str) -> Path:
    path = folder / "job.toml"
    path.write_text(f"# a comment\nplugins = {plugins}\n{job_text()}")
    return path


def test_a_plugin_file_is_relative_to_the_job_file_and_its_text_is_kept(folder: Path) -> None:
    job = load_job(written(folder, '["./mine.py"]'))
    (file,) = job.plugins
    assert (file.path, file.source) == (str(folder / "mine.py"), "NAME = 'ä'\n")
    (folder / "mine.py").write_text("NAME = 'other'\n")
    assert Job.model_validate_json(job.model_dump_json()) == job


def test_a_plan_names_them(auditor: Auditor, folder: Path) -> None:
    written(folder, '["./mine.py"]')
    result = auditor.here("plan", "job.toml", "--plugin", "mine.py", "--json")
    assert (result.code, result.events[0]["plugins"]) == (0, [str(folder / "mine.py")]), result.stderr


def test_a_file_that_is_named_twice_is_there_once(folder: Path) -> None:
    job = load_job(written(folder, '["mine.py"]'))
    assert job.with_plugins(job.plugins) == job


@pytest.mark.parametrize(
    ("plugins", "key", "words"),
    [
        ('["./none.py"]', "plugins.0", "'./none.py' does not exist."),
        ('["./mine.py", "notes.txt"]', "plugins.1", "'notes.txt' is not a Python file; its name should end in .py."),
        ('["folder.py"]', "plugins.0", "'folder.py' is a folder, not a file."),
        ('["pipe.py"]', "plugins.0", "'pipe.py' is a pipe or a device, not a file."),
        ('["binary.py"]', "plugins.0", "'binary.py' is not UTF-8 text."),
        ('["~nobody-has-this-name/mine.py"]', "plugins.0", "home directory"),
        ("[3]", "plugins.0", 'must be the path of a Python file, as in "./mine.py".'),
        ('[{ path = "mine.py", source = "" }]', "plugins.0", "must be the path of a Python file"),
        ('"./mine.py"', "plugins", "it should be a list, as in [ … ]"),
    ],
)
def test_a_path_that_leads_to_no_plugin_is_named_with_file_line_and_key(
    folder: Path, plugins: str, key: str, words: str
) -> None:
    with pytest.raises(JobError) as caught:
        load_job(written(folder, plugins))
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.describe("job.toml").startswith(f"job.toml:2: {key}: ")
