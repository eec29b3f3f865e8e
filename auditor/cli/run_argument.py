"""What commands about one run take: which run it is, and in which form they write."""

from __future__ import annotations

from typing import Annotated

import typer

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id or its first characters, or `last` for the newest run.")
]

JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON object per line. The last holds the verdict.")]
