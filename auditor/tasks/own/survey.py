"""A first look at a client's code, which executes none of it."""

from __future__ import annotations

import ast
import tokenize
from importlib.util import find_spec
from pathlib import Path

from auditor.job.errors import nearest
from auditor.job.python_task import PythonTask
from auditor.job.task import Task
from auditor.tasks.client_files import check_files
from auditor.tasks.errors import TrainingError


def survey_code(task: Task) -> None:
    """See whether all files are there, and whether the module is Python and has the factory.

    Raises:
        TrainingError: it cannot work; says what to do.
    """
    assert isinstance(task, PythonTask)
    files = task.files()
    check_files(files.values())
    if task.own_file:
        _look(Path(files["module"][1]), task)
    elif find_spec(task.module.partition(".")[0]) is None:
        raise TrainingError(
            f"no module {task.module!r} is installed here. Install it here and at every provider, or name a file "
            "that ends in .py."
        )


def _look(path: Path, task: PythonTask) -> None:
    try:
        with tokenize.open(path) as file:
            tree = ast.parse(file.read())
    except SyntaxError as error:
        raise TrainingError(f"{task.module_name}, line {error.lineno}: SyntaxError: {error.msg}.") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise TrainingError(f"{task.module_name} is not Python: {error}.") from None
    if any(isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names) for node in tree.body):
        return  # what it brings is not known without executing it
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names += [name.asname or name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names]
    names += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    if task.factory not in names:
        near = nearest(task.factory, names)
        hint = f" Did you mean {near!r}?" if near else ""
        raise TrainingError(
            f"{task.module_name} has no function {task.factory!r}. Define it there, or name another with "
            f"task.factory.{hint}"
        )
