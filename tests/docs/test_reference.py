"""The pages of the reference that code knows are those that are committed, and describe everything."""

from __future__ import annotations

import pytest

from tests.docs.reference.commands import commands
from tests.docs.reference.job_keys import keys, meaning
from tests.docs.reference.pages import FOLDER, pages
from tests.docs.reference.unsaid import MEANINGS


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def test_the_committed_pages_are_current(made: dict[str, str]) -> None:
    for name, text in made.items():
        committed = (FOLDER / name).read_text(encoding="utf-8")
        assert committed == text, f"{name} is out of date; run: python -m tests.docs.reference"


def test_every_key_of_a_job_file_has_a_meaning() -> None:
    for path, field in keys():
        assert meaning(path, field), f"{path}: give its field a description"


def test_no_meaning_is_left_over_or_said_twice() -> None:
    known = dict(keys())
    for path in MEANINGS:
        assert path in known, f"{path} is no key of a job file"
        assert not known[path].description, f"{path} has a description of its own"


def test_every_command_and_option_has_a_meaning() -> None:
    for command in commands():
        assert command.help, command.words
        for parameter in command.parameters:
            assert parameter.help, (command.words, parameter.names)
