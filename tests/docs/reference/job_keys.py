"""The page of the job file's keys."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from auditor.job.attack_use import AttackUse
from auditor.job.model import Job
from auditor.job.noise_file import NoiseFile
from auditor.job.plugin_file import PluginFile
from auditor.job.plugin_use import PluginUse
from auditor.job.task import Task
from auditor.job.task_kinds import installed_kinds, load_kind
from auditor.plugins.description import type_words
from tests.docs.reference.tables import sentence, table
from tests.docs.reference.unsaid import MEANINGS

INTRODUCTION = """# The job file

A job file is TOML. `[task]` and `[[providers]]` are required. Every other key has a default that makes a
sensible audit. A mistake is answered with the file, the line, the key, what is allowed, and the nearest known word.
Paths are relative to the job file. [Your first audit](../how-to/first-audit.md) writes one step by step.

"""
OPAQUE: dict[type[BaseModel], str] = {
    PluginUse: "plugin",
    AttackUse: "plugin",
    PluginFile: "path",
    NoiseFile: "path",
}
"""Parts that a job file writes as something simpler. A plugin is its name, or a table with its name and options."""

SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def job_keys_page() -> str:
    """Every key of a job file, with what it takes, its default and its meaning."""
    different = dict.fromkeys(sections())  # kinds of task share tables
    return INTRODUCTION + "\n".join(_section(heading, model) for heading, model in different)


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of a job file with its model; a table of several forms comes once for each form.

    Optimizers and schedules of updates are those of [training], and are not told of twice.
    """
    for heading, model in _below("", Job):
        if not heading.startswith(("evolution.training.optimizer", "evolution.training.schedule")):
            yield heading, model


def keys() -> Iterator[tuple[str, FieldInfo]]:
    """Every key of a job file as `table.key`."""
    for heading, model in sections():
        for name, field in model.model_fields.items():
            yield _path(heading, name), field


def meaning(path: str, field: FieldInfo) -> str:
    """What a key means: what the model says, else what is said here for it."""
    return sentence(field.description or MEANINGS.get(path, ""))


def _below(heading: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield heading, model
    for name, field in model.model_fields.items():
        forms = list(_models(field.annotation))
        for form in forms:
            word = _tag(form) if len(forms) > 1 else ""
            yield from _below(_path(heading.partition(" ")[0], name) + (f" {word}" if word else ""), form)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among the types that a key may hold, but for those that are written as something simpler."""
    if annotation is Task:
        yield from (load_kind(name) for name in reversed(installed_kinds()))
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in OPAQUE:
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models(inner)


def _tag(form: type[BaseModel]) -> str:
    """What tells one form of a table from the others, such as `name = "sgd"`."""
    for key in ("kind", "name"):
        if key in form.model_fields and (words := get_args(form.model_fields[key].annotation)):
            return f'{key} = "{words[0]}"'
    return form.__name__


def _section(heading: str, model: type[BaseModel]) -> str:
    rows = [
        (f"`{name}`", _takes(field), _default(field), meaning(_path(heading, name), field))
        for name, field in model.model_fields.items()
    ]
    place, _, form = heading.partition(" ")
    title = "At the top of the file" if not heading else f"`{place}`" + (f" with `{form}`" if form else "")
    said = inspect.cleandoc(model.__doc__ or "").split("\n\n")[0]
    return f"## {title}\n\n{' '.join(said.split())}\n\n" + table(("key", "takes", "default", "meaning"), rows)


def _path(heading: str, name: str) -> str:
    return ".".join(filter(None, [heading.partition(" ")[0], name]))


def _takes(field: FieldInfo) -> str:
    limits = [f"{SIGNS[key]} {_number(value)}" for key, value in _limits([*field.metadata, field.annotation])]
    return ", ".join([_words(field.annotation), *dict.fromkeys(limits)])


def _limits(parts: Iterable[Any]) -> Iterator[tuple[str, float]]:
    """What must hold of a value, or of each in a list: said beside the type, or inside it."""
    for part in parts:
        if isinstance(part, FieldInfo):
            yield from _limits(part.metadata)
        elif isinstance(part, type) or get_args(part):
            yield from _limits((*getattr(part, "__metadata__", ()), *get_args(part)))
        else:
            yield from ((key, value) for key in SIGNS if (value := getattr(part, key, None)) is not None)


def _number(value: float) -> str:
    if isinstance(value, int) and value > 2**53:
        return f"2^{value.bit_length() - 1}"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _words(annotation: Any) -> str:
    arguments = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if annotation in OPAQUE:
        return OPAQUE[annotation]
    if hasattr(annotation, "__metadata__"):
        return _words(arguments[0])
    if get_origin(annotation) is tuple:
        inner = _words(arguments[0])
        return "tables" if inner == "table" else f"list of {inner}{'' if inner.endswith('`') else 's'}"
    if any(_models(annotation)):
        return "table"
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_words(one) for one in arguments if one is not type(None))
    return type_words(annotation).replace('"', "`")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == ():
        return ""
    if isinstance(value, BaseModel):
        name = getattr(value, "name", None)
        return f"`{name}`" if isinstance(name, str) and name else "see below"
    if isinstance(value, tuple):
        return ", ".join(f"`{getattr(one, 'name', one)}`" for one in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
