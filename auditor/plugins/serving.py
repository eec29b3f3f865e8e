"""Which attacks serve something else than they deliver, told from their source, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from auditor.job.plugin_file import PluginFile

HOOK = "served"
"""The hook of `auditor.plugins.Attack` that says what is served."""


def serves_another(name: str, options: Mapping[str, Any], files: Sequence[PluginFile] = ()) -> bool:
    """Whether an attack, or one that it wraps, serves something else than it delivers.

    A plan has to be there before PyTorch is, and before anything of a stranger is executed, so this reads the source:
    it finds a hook that the attack's class defines, or a class that it derives from in the same file. One that is
    inherited from elsewhere is not found.

    Args:
        name: of the attack, as in a job file.
        options: likewise.
        files: single files with plugins that the job names.
    """
    wrapped = options.get("attack")
    if isinstance(wrapped, Mapping):
        inner = {key: value for key, value in wrapped.items() if key != "name"}
        if serves_another(str(wrapped.get("name")), inner, files):
            return True
    return any(_defines(tree, kind) for tree, kind in _classes(name, files))


def _classes(name: str, files: Sequence[PluginFile]) -> Iterator[tuple[dict[str, ast.ClassDef], str]]:
    """The classes of a module by name, and which of them is the attack."""
    for point in entry_points(group="auditor.attacks", name=name):
        tree = _parsed(_source(point.module))
        if point.attr in tree:
            yield tree, point.attr
    for file in files:
        tree = _parsed(file.source)
        yield from ((tree, kind) for kind, found in tree.items() if _named(found) == name)


def _source(module: str) -> str:
    """The text of a module, found without importing the packages around it; empty where there is none to read."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
        if spec is None or not inner:
            found = [] if spec is None or spec.origin is None else [Path(spec.origin)]
        else:
            ends = ("/".join(inner) + ".py", "/".join(inner) + "/__init__.py")
            found = [Path(folder) / end for folder in spec.submodule_search_locations or () for end in ends]
        return next((path.read_text(encoding="utf-8") for path in found if path.is_file()), "")
    except (ImportError, OSError, ValueError):  # loading the plugin says what is wrong with it
        return ""


def _parsed(source: str) -> dict[str, ast.ClassDef]:
    try:
        return {part.name: part for part in ast.parse(source).body if isinstance(part, ast.ClassDef)}
    except (SyntaxError, ValueError, RecursionError):
        return {}


def _named(found: ast.ClassDef) -> str | None:
    for part in found.body:
        if isinstance(part, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "name" for one in part.targets):
            return part.value.value if isinstance(part.value, ast.Constant) else None  # type: ignore[return-value]
    return None


def _defines(classes: Mapping[str, ast.ClassDef], kind: str, seen: frozenset[str] = frozenset()) -> bool:
    if kind not in classes or kind in seen:
        return False
    own = any(isinstance(part, ast.FunctionDef) and part.name == HOOK for part in classes[kind].body)
    bases = [base.id for base in classes[kind].bases if isinstance(base, ast.Name)]
    return own or any(_defines(classes, base, seen | {kind}) for base in bases)
