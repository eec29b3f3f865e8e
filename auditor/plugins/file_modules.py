"""Plugins in single files: a module is made of the text of the file, and of nothing that lies beside it."""

from __future__ import annotations

import sys
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

from auditor.job.plugin_file import PluginFile


class _Text(ExecutionLoader):
    """Gives Python the text that was read, so that tracebacks show it even after the file was changed."""

    def __init__(self, file: PluginFile) -> None:
        self._file = file

    def get_source(self, fullname: str) -> str:
        return self._file.source

    def get_filename(self, fullname: str) -> str:
        return self._file.path


def load_file(file: PluginFile) -> ModuleType:
    """The module that a file's text makes, executed once a process.

    Its name derives from its path and its text, so that two files never share one, nor do two versions of a file.
    It raises whatever the file raises.
    """
    name = f"auditor_plugin_file_{file.identity}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_loader(name, _Text(file))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is executed
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def named_classes(module: ModuleType, base: type) -> list[tuple[str, type]]:
    """The subclasses of `base` that a module defines itself and gives a `name`, in the order of the file."""
    return [
        (str(found.__dict__["name"]), found)
        for found in dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
        if issubclass(found, base) and found.__module__ == module.__name__ and "name" in found.__dict__
    ]
