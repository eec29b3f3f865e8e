"""What results were computed by: a digest of the code, so that changed code computes them anew."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from auditor.plugins.catalogue import Origin

ALWAYS = "auditor"
"""Imports from this package are followed whatever package they are in."""


def code_digest(module: str) -> str:
    """A digest of the code of a module and of all that it imports from its own package and from auditor.

    Imports inside functions count. Comments, docstrings and the layout of the text do not.

    Args:
        module: its full name. One that cannot be found gives the digest of nothing.
    """
    followed = {ALWAYS, module.partition(".")[0]}
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in found else _file(name)
        if path is not None:
            found[name] = path
            waiting += [
                imported
                for imported in (_parent(name), *_imports(path, name))
                if imported.partition(".")[0] in followed
            ]
    sha = hashlib.sha256()
    for name, path in sorted(found.items()):
        sha.update(f"{name}\0{_meaning(path)}\n".encode("utf-8", "surrogatepass"))
    return sha.hexdigest()


def plugin_version(plugin: Origin) -> str:
    """What tells one state of a plugin from another: for a file its text, else its package's version and its code."""
    if plugin.file is not None:
        return plugin.version
    return f"{plugin.version} {code_digest(plugin.target.partition(':')[0])}"


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


@cache
def _imports(path: Path, name: str) -> tuple[str, ...]:
    """What a module imports, by full names; a name that is imported from a module may be a module, too."""
    return tuple(dict.fromkeys(_named(path, name)))


def _named(path: Path, name: str) -> Iterator[str]:
    package = name if path.name == "__init__.py" else _parent(name)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            source = ".".join(filter(None, [base if node.level else "", node.module]))
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _file(name: str) -> Path | None:
    """The file of a module, without importing anything; None where there is none."""
    root, *parts = name.split(".")
    try:
        spec = find_spec(root) if root else None
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not parts and spec.origin is not None and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        for path in (Path(folder, *parts).with_suffix(".py"), Path(folder, *parts, "__init__.py")):
            if path.is_file():
                return path
    return None


@cache
def _meaning(path: Path) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return ast.dump(tree)
