"""Laying out and importing a client's code, and saying where in it something went wrong."""

from __future__ import annotations

import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from importlib import import_module
from importlib.machinery import FileFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import numpy as np
import torch

from auditor.base.randomness import key
from auditor.job.python_task import PythonTask
from auditor.tasks.client_files import lay_out
from auditor.tasks.errors import TrainingError

Result = TypeVar("Result")


class ClientCode:
    """The files of a task under the names that the client gave them, and nothing beside them.

    Args:
        task: names the files, by paths of this machine.

    Attributes:
        module: the client's, imported.

    Raises:
        TrainingError: a file is not there, or the module cannot be imported; says where in it.
    """

    def __init__(self, task: PythonTask) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="auditor-code-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name).resolve()
        self._name = task.module_name
        if task.own_file:
            lay_out(task.files().values(), self.folder)
        with told_elsewhere():
            self.module = self.called(lambda: self._imported(task), "it")

    def _imported(self, task: PythonTask) -> ModuleType:
        if not task.own_file:
            return import_module(task.module)
        _forget_others(self.folder)
        sys.path.insert(0, str(self.folder))
        for folder in (self.folder, *(path for path in self.folder.rglob("*") if path.is_dir())):
            sys.path_importer_cache[str(folder)] = FileFinder(str(folder), (_Narrating, [".py"]))
        place = self.folder / task.module_name
        name = f"auditor_client_{self.folder.name.rpartition('-')[2]}"
        spec = spec_from_file_location(name, place, loader=_Narrating(name, str(place)))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up while it is executed
        spec.loader.exec_module(module)
        return module

    def called(self, call: Callable[[], Result], what: str) -> Result:
        """Call something of the client's.

        Args:
            call: calls it.
            what: it is, to begin a sentence with.

        Raises:
            TrainingError: it raised something; says what and where in the client's code.
        """
        try:
            return call()
        except (TrainingError, MemoryError, torch.OutOfMemoryError):
            raise
        except (Exception, SystemExit) as error:  # a client's code may raise anything, and a script may end itself
            raise TrainingError(f"{self.place(error)}: {what} raises {_words(error)}") from error

    def place(self, error: BaseException) -> str:
        """The last line of the client's code on the way to an error, as `task.py, line 3`; else the file alone."""
        if isinstance(error, SyntaxError) and error.filename and self._is_ours(error.filename):
            return f"{self._shown(error.filename)}, line {error.lineno}"
        return self.last_line(traceback.extract_tb(error.__traceback__)) or self._name

    def last_line(self, frames: traceback.StackSummary) -> str:
        """The last of some frames that is in the client's code, as `task.py, line 3`; empty if none is."""
        for frame in reversed(frames):
            if self._is_ours(frame.filename):
                return f"{self._shown(frame.filename)}, line {frame.lineno}"
        return ""

    def _is_ours(self, file: str) -> bool:
        return Path(file).is_relative_to(self.folder) or file == getattr(self.__dict__.get("module"), "__file__", None)

    def _shown(self, file: str) -> str:
        path = Path(file)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name


def _forget_others(folder: Path) -> None:
    """Forget what other clients' code brought into this process, so that no module of theirs is taken for one here."""
    others = [path for path in sys.path if Path(path).name.startswith("auditor-code-") and path != str(folder)]
    for path in others:
        sys.path.remove(path)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if any(file.startswith(f"{path}/") for path in others):
            del sys.modules[name]


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """Have what code writes to standard output, which is for data, go to standard error while this lasts.

    Libraries that a client's code imports may greet whoever imports them. Nobody else writes data meanwhile: it is
    read before an audit begins.
    """
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def drawn_with(seed: int, stream: str) -> Iterator[None]:
    """Have what draws from the global generators of PyTorch, NumPy and Python draw from a key while this lasts."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            seed_all(key(seed, stream, 0))
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def seed_all(value: int) -> None:
    """Set the global generators of PyTorch, NumPy and Python from a key."""
    torch.manual_seed(value % 2**63)
    random.seed(value)
    np.random.seed(value % 2**32)


class _Narrating(SourceFileLoader):
    """Has what a client's module prints go to standard error: standard output is data."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["print"] = partial(print, file=sys.stderr)
        super().exec_module(module)


def _words(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}."
    said = " ".join(str(error).split())[:400]
    return f"{type(error).__name__}: {said}".rstrip(": ").rstrip(".") + "."
