"""A process that loads plugins so that another need not: it describes and checks them, one after another.

It reads one JSON object from its standard input, what is wanted, and writes one a line: that it is `ready`, then for
every subject what is `told` of it and that it is `done`. So whoever reads knows which one hangs or ended the process.
What plugins print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from auditor.plugins.describing import PluginDescription, describe
from auditor.plugins.discovery import KINDS, Catalogue, PluginError
from auditor.plugins.inspector import Subject


def main() -> None:
    """Do what is asked for on standard input."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a plugin prints, also from C, must not spoil the lines
    order = json.loads(sys.stdin.readline())

    def tell(**message: Any) -> None:
        told.write(json.dumps(message) + "\n")

    import torch  # noqa: F401 - so that the first plugin is not blamed for the seconds that this takes

    tell(ready=True)
    for subject in order["subjects"]:
        for description in described(Subject.from_json(subject)):
            tell(told=description.payload())
        tell(done=True)


def described(subject: Subject) -> Iterator[PluginDescription]:
    """What is to be said of an installed plugin, or of all plugins of a file."""
    if subject.file is None:
        yield describe(subject.known)
        return
    plugins = Catalogue((subject.file,))
    try:
        origins = [origin for kind in KINDS for origin in plugins.origins(kind) if origin.file is not None]
    except PluginError as error:
        yield PluginDescription(subject.known, error=str(error))
        return
    for origin in origins:
        yield describe(origin, plugins)


if __name__ == "__main__":
    main()
