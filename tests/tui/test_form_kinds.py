"""The form offers a training of one's own, in Python or by any program, and makes a job file of what is filled in."""

from __future__ import annotations

from functools import partial

import pytest
from textual.widgets import Input, Select

from auditor.job import parse_job
from auditor.job.command_task import CommandTask
from auditor.job.python_task import PythonTask
from auditor.tui.app import AuditorApp
from auditor.tui.screens.compose_job import ComposeScreen
from auditor.tui.screens.job import JobEditor, JobScreen
from tests.tui.walking import text_of, until


def _begins(field: Input, words: str) -> bool:
    return field.value.startswith(words)


async def test_a_kind_brings_its_fields_and_what_was_typed_stays(app: AuditorApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(ComposeScreen())
        screen = app.screen
        kind, first = screen.query_one("#kind", Select), screen.query_one("#dataset", Input)
        for word, label, value, batches in (
            ("python", "Python file", "train.py", True),
            ("command", "Command", "{python} train.py", False),
            ("text", "Dataset", "reviews", True),
        ):
            kind.value = word
            await until(pilot, partial(_begins, first, value))
            assert text_of(app, "#dataset-label") == label
            assert screen.query_one("#batch_size").display is batches
            assert "Complete" in text_of(app, "#form-trouble")
        first.value = "mine.tsv"
        kind.value = "python"
        await until(pilot, lambda: text_of(app, "#dataset-label") == "Python file")
        assert first.value == "mine.tsv"


@pytest.mark.parametrize("kind", ["python", "command"])
async def test_the_job_file_of_an_own_training_is_a_valid_one(app: AuditorApp, kind: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(ComposeScreen())
        app.screen.query_one("#kind", Select).value = kind
        await until(pilot, lambda: app.screen.query_one("#dataset", Input).value != "digits")
        await until(pilot, lambda: "Complete" in text_of(app, "#form-trouble"))
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        task = parse_job(app.screen.query_one(JobEditor).text).task
        if isinstance(task, CommandTask):
            assert task.needs == ("train.py=train.py",)
            assert task.command[:2] == ("{python}", "train.py")
        else:
            assert isinstance(task, PythonTask)
            assert (task.module_name, task.factory) == ("train.py", "workload")
