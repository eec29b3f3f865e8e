"""`auditor plugins new`: a first version of the user's own plugin."""

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
    DRIFT = "drift"
    INSPECTOR = "inspector"
    METRIC = "metric"


USES = {
    NewKind.ATTACK: 'attack = {{ name = "{}" }}',
    NewKind.DRIFT: 'drift = {{ name = "{}", step = 1.0 }}',
    NewKind.METRIC: 'metrics = ["{}"]',
}
"""What a job file says to use a plugin of a kind; an inspector is not part of a job."""


def new(
    kind: Annotated[NewKind, typer.Argument(help="Kind of plugin.")],
    name: Annotated[str, typer.Argument(help="Name of the plugin in job files, such as total_variation.")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder to write; it must not exist. Default: ./auditor-NAME.")
    ] = None,
) -> None:
    """Write a small package with a working plugin and its test. Nothing is downloaded."""
    from auditor.plugins.scaffold import ScaffoldError, write_package

    try:
        written = write_package(kind.value, name, folder)
    except ScaffoldError as error:
        fail(error, ExitCode.USAGE)
    for path in written:
        output(str(path))
    say("\nThe plugin works as it is. Next:\n")
    say(f"    cd {shlex.quote(str(written[0].parent))}")
    say("    pip install -e . && pytest")
    say(f"    auditor plugins check {name}")
    if kind in USES:
        say(f"\nUse it in a job file with: {USES[kind].format(name)}")
