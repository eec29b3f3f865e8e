"""A process that loads plugins so that another need not: it describes and checks them, one after another.

It reads one JSON object from its standard input: what is wanted. It writes one JSON object a line: first that it is
`ready`, then for every subject its `report`s, one at a time, and that it is `done`. So the reader knows which subject
hangs or ended the process. What plugins print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from auditor.plugins.catalogue import INSTALLED, KINDS, Catalogue, Origin, PluginError
from auditor.plugins.description import describe
from auditor.plugins.loader import Subject


def main() -> None:
    """Do what is asked for on standard input."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a plugin prints, also from C, must not spoil the lines
    order = json.loads(sys.stdin.readline())

    def send(**message: Any) -> None:
        output.write(json.dumps(message) + "\n")

    import torch  # noqa: F401 - so that the first plugin is not blamed for the seconds that this takes

    send(ready=True)
    for subject in map(Subject.from_json, order["subjects"]):
        for message in checked(subject, order["options"]) if order["do"] == "check" else described(subject):
            send(report=message)
        send(done=True)


def described(subject: Subject) -> Iterator[dict[str, Any]]:
    """What is to be said of an installed plugin, or of all plugins of a file."""
    for origin, plugins in _plugins(subject):
        yield describe(origin, plugins).payload()


def checked(subject: Subject, options: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The checks of an installed plugin, or of all plugins of a file, with what each costs."""
    from auditor.plugins.contract_check import Check, check

    for origin, plugins in _plugins(subject):
        yield {"origin": asdict(origin)}
        for result in check(origin, plugins, options):
            yield {"check" if isinstance(result, Check) else "cost": asdict(result)}


def _plugins(subject: Subject) -> list[tuple[Origin, Catalogue]]:
    """The plugins of a subject; the subject itself, for a file that does not load."""
    if subject.file is None:
        return [(subject.known, INSTALLED)]
    plugins = Catalogue((subject.file,))
    try:
        return [(origin, plugins) for kind in KINDS for origin in plugins.origins(kind) if origin.file is not None]
    except PluginError:
        return [(subject.known, plugins)]


if __name__ == "__main__":
    main()
