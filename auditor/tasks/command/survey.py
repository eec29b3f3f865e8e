"""A first look at a client's program, which executes none of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from auditor.job.client_files import name_and_path
from auditor.job.command_task import PLACEHOLDERS, CommandTask
from auditor.job.task import Task
from auditor.tasks.client_files import check_files
from auditor.tasks.errors import TrainingError
from auditor.tasks.own.survey import survey_code


def survey_command(task: Task) -> None:
    """See whether all files are there, and whether what the commands name is.

    Raises:
        TrainingError: it cannot work; says what to do.
    """
    assert isinstance(task, CommandTask)
    check_files(task.own_files.values())
    laid_out = {str(Path(name_and_path(item)[0])) for item in task.needs}
    for command in filter(None, (task.command, task.begin)):
        program = command[0]
        if program in (f"{{{name}}}" for name in PLACEHOLDERS):
            continue
        if "/" in program and not program.startswith("/"):
            if str(Path(program)) not in laid_out:
                raise TrainingError(f"{program} is not in task.needs, so that no provider gets it. Name it there.")
        elif shutil.which(program) is None:
            raise TrainingError(
                f"there is no program {program!r} here. Install it here and at every provider, or give {{python}} or "
                "a file of task.needs."
            )
    if task.python is not None:
        survey_code(task.python)
