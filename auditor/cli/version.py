"""`auditor --version`."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor import __version__
from auditor.cli.narration import output


def _show(asked: bool) -> None:
    if asked:
        output(f"auditor {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", callback=_show, is_eager=True, help="Print the version and exit.")
]
