"""`auditor plugins new`: the beginning of a plugin of one's own."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say


class NewKind(StrEnum):
    """What can be written."""

    ATTACK = "attack"
    INSPECTOR = "inspector"
    METRIC = "metric"


def new(
    kind: Annotated[NewKind, typer.Argument(help="What to write.")],
    name: Annotated[str, typer.Argument(help="What it is to be called in job files, such as total_variation.")],
    folder: Annotated[Path | None, typer.Option(help="Where; ./auditor-NAME if not given. It must not exist.")] = None,
) -> None:
    """Write a small package with a plugin that works, and its test; nothing is downloaded."""
    from auditor.plugins.scaffold import ScaffoldError, write_package

    try:
        written = write_package(kind.value, name, folder)
    except ScaffoldError as error:
        fail(error, ExitCode.USAGE)
    for path in written:
        output(str(path))
    say("\nIt works as it is. Next:\n")
    say(f"    cd {shlex.quote(str(written[0].parent))}")
    say("    pip install -e . && pytest")
    say(f"    auditor plugins check {name}")
    if kind is not NewKind.INSPECTOR:
        use = f'metrics = ["{name}"]' if kind is NewKind.METRIC else f'attack = {{ name = "{name}" }}'
        say(f"\nA job file uses it with: {use}")
