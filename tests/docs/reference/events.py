"""The page of events."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import get_args, get_type_hints

from auditor.audit.record.events import KINDS, Event
from auditor.plugins.description import type_words
from tests.docs.reference.tables import table

INTRODUCTION = """# Events

`auditor run JOB --json` and `auditor show RUN --json` write one JSON object a line. Every object has four keys: `event`
(the kind), `run` (the id of the run), `seq` (the number of the event in the run) and `time` (RFC 3339, UTC). The last
line of a run that ended has the kind `verdict`. The other keys of each kind follow.

"""


def events_page() -> str:
    """Every kind of event with its fields."""
    return INTRODUCTION + "\n".join(_section(kind, event) for kind, event in KINDS.items())


def _section(kind: str, event: type[Event]) -> str:
    hints = get_type_hints(event)
    rows = [(f"`{one.name}`", _words(hints[one.name])) for one in fields(event)]
    documentation = inspect.cleandoc(event.__doc__ or "")
    return f"## `{kind}`\n\n{documentation}\n" + ("\n" + table(("key", "type"), rows) if rows else "")


def _words(annotation: object) -> str:
    """A type as JSON has it."""
    return type_words(annotation) + (" or null" if type(None) in get_args(annotation) else "")
