"""Writing the beginning of a plugin: a small package that can be installed and passes its tests."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Literal

from auditor.plugins.catalogue import INSTALLED, KINDS

NewKind = Literal["attack", "drift", "inspector", "metric"]

FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "{kind}/README.md",
    "{module}.py": "{kind}/plugin.py",
    "test_{name}.py": "{kind}/test_plugin.py",
}
"""Every file of a new package, and the template in `templates/` that it is made from."""


class ScaffoldError(Exception):
    """A package that cannot be written; the message says why, and what to do."""


def write_package(kind: NewKind, name: str, folder: Path | None = None) -> list[Path]:
    """Write a package with a plugin that works.

    Args:
        kind: of plugin.
        name: what job files are to call it.
        folder: is made for it; `auditor-NAME` if not given.

    Returns:
        What was written.

    Raises:
        ScaffoldError: the name cannot be used, or the folder cannot be made.
    """
    _check_name(name)
    words = {
        "kind": kind,
        "name": name,
        "Class": "".join(word.capitalize() for word in name.split("_")),
        "module": f"auditor_{name}",
        "package": f"auditor-{name.replace('_', '-')}",
    }
    _check_free(name, words["module"])
    folder = folder or Path(words["package"])
    templates = files("auditor.plugins") / "templates"
    texts = {
        file.format(**words): Template((templates / f"{template.format(**words)}.template").read_text("utf-8"))
        for file, template in FILES.items()
    }
    try:
        folder.mkdir(parents=True)
        for file, text in texts.items():
            (folder / file).write_text(text.substitute(words), encoding="utf-8")
    except FileExistsError:
        raise ScaffoldError(f"{folder} already exists; choose another with --folder.") from None
    except OSError as error:
        raise ScaffoldError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return [folder / file for file in texts]


def _check_name(name: str) -> None:
    if re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name) and not keyword.iskeyword(name) and not name.endswith("_"):
        return
    near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:32].rstrip("_")
    hint = f", such as {near!r}" if near and near != name and not keyword.iskeyword(near) else ""
    raise ScaffoldError(
        f"{name!r} is not a valid name for a plugin; use up to 32 lower-case letters, digits and underscores, "
        f"beginning with a letter{hint}."
    )


def _check_free(name: str, module: str) -> None:
    for kind in KINDS:
        for origin in INSTALLED.origins(kind):
            if origin.name == name:
                raise ScaffoldError(f"{origin} is already installed; choose another name.")
    if find_spec(module) is not None:
        raise ScaffoldError(f"a module {module} already exists; choose a name other than {name!r}.")
