"""The page of commands, and what the tests of documents need to know of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from auditor.cli.app import app
from tests.docs.reference.tables import sentence, table

INTRODUCTION = """# Commands

`--help` after any command shows the same in a terminal. Data goes to stdout, narration goes to stderr. The
[exit codes](exit-codes.md) have a page of their own.

JOB is a job file, or `sample:NAME` for one that comes with auditor. RUN is the id of a run, the beginning of an id, or
`last` for the newest run.

"""
_VALUES: dict[Any, str] = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}


@dataclass(frozen=True)
class Parameter:
    """An argument or option of a command.

    Attributes:
        names: how one types it: `--json`; for an argument what stands for it, such as `JOB`.
        value: what an option takes; empty for a flag, and for an argument.
        default: as one would type it; empty where there is none.
        help: what it does.
        option: whether it is an option.
    """

    names: tuple[str, ...]
    value: str
    default: str
    help: str
    option: bool


@dataclass(frozen=True)
class Command:
    """A command: the words that one types, what it does, and what it takes."""

    words: tuple[str, ...]
    help: str
    parameters: tuple[Parameter, ...]


def commands() -> list[Command]:
    """Every command, `auditor` itself first."""
    assert app.registered_callback is not None
    assert app.registered_callback.callback is not None
    return [_command(("auditor",), app.registered_callback.callback), *_below(("auditor",), app)]


def commands_page() -> str:
    """Every command with its arguments and options."""
    return INTRODUCTION + "\n".join(map(_section, commands()))


def _below(words: tuple[str, ...], group: typer.Typer) -> Iterator[Command]:
    for info in group.registered_commands:
        assert info.callback is not None
        yield _command((*words, info.name or info.callback.__name__), info.callback)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        callback = inner.typer_instance.registered_callback
        if inner.typer_instance.info.invoke_without_command is True and callback and callback.callback:
            yield _command((*words, str(inner.name)), callback.callback)
        yield from _below((*words, str(inner.name)), inner.typer_instance)


def _command(words: tuple[str, ...], function: Callable[..., Any]) -> Command:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        for info in get_args(hints[name])[1:]:
            if isinstance(info, ArgumentInfo | OptionInfo):
                found.append(_parameter(name, get_args(hints[name])[0], info, parameter.default))
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    said = "\n\n".join(" ".join(one.split()) for one in paragraphs if not one.startswith("Exit codes:"))
    return Command(words, said, tuple(found))


def _parameter(name: str, annotation: Any, info: ArgumentInfo | OptionInfo, default: Any) -> Parameter:
    shown = (
        ""
        if default in (None, False, inspect.Parameter.empty)
        else str(default.value if isinstance(default, Enum) else default)
    )
    if isinstance(info, ArgumentInfo):
        return Parameter((info.metavar or name.upper(),), "", shown, info.help or "", option=False)
    # In `Annotated`, Typer takes the first spelling for the default.
    spellings = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
    names = tuple(one for one in spellings if one.startswith("-")) or (f"--{name.replace('_', '-')}",)
    return Parameter(names, _value(annotation, info), shown, info.help or "", option=True)


def _value(annotation: Any, info: OptionInfo) -> str:
    kinds = [one for one in (get_args(annotation) or (annotation,)) if one is not NoneType]
    kind = get_args(kinds[0])[0] if get_origin(kinds[0]) is list else kinds[0]
    if kind is bool:
        return ""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(one.value) for one in kind)
    return info.metavar or _VALUES[kind]


def _section(command: Command) -> str:
    arguments = [one for one in command.parameters if not one.option]
    options = [one for one in command.parameters if one.option]
    words = " ".join(command.words)
    usage = " ".join([words, *(one.names[0] for one in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [
        (f"`{' '.join(filter(None, [*one.names, one.value]))}`", one.default and f"`{one.default}`", sentence(one.help))
        for one in (*arguments, *options)
    ]
    parts = [f"## `{words}`\n", f"    {usage}\n", command.help + "\n"]
    return "\n".join([*parts, table(("argument or option", "default", "meaning"), rows)] if rows else parts)
