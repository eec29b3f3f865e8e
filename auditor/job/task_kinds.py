"""The kinds of task that are installed, and which one a job asks for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny
from pydantic_core import PydanticCustomError

from auditor.job.task import Task

GROUP = "auditor.tasks"
"""The entry-point group of kinds."""

DEFAULT = "vision"
"""The kind of a task that names none."""


def installed_kinds() -> list[str]:
    """The names of all installed kinds, without importing any."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def load_kind(name: str) -> type[Task]:
    """The model of a kind's keys.

    Raises:
        PydanticCustomError: it is not installed, or does not load.
    """
    for point in entry_points(group=GROUP, name=name):
        try:
            found = point.load()
        except Exception as error:  # another package may raise anything while it is imported
            said = " ".join(f"{type(error).__name__}: {error}".split())
            raise PydanticCustomError(
                "unknown_word",
                "the kind {name} does not load: {error}.",
                {"name": repr(name), "error": said, "key": "kind"},
            ) from None
        if isinstance(found, type) and issubclass(found, Task):
            return found
        raise PydanticCustomError(
            "unknown_word", "the kind {name} is no subclass of Task.", {"name": repr(name), "key": "kind"}
        )
    known = installed_kinds()
    raise PydanticCustomError(
        "unknown_word",
        "{name} is not allowed; use {allowed}.",
        {"name": repr(name), "value": name, "allowed": _listed(known), "known": known, "key": "kind"},
    )


def kind_of(table: object) -> str:
    """The kind that the table [task] asks for."""
    return str(table.get("kind", DEFAULT)) if isinstance(table, Mapping) else DEFAULT


def kinds_with(key: str) -> list[str]:
    """The installed kinds that have a key; those that do not load are left out."""
    found = []
    for name in installed_kinds():
        try:
            fields = load_kind(name).model_fields
        except PydanticCustomError:
            continue
        if key in fields:
            found.append(name)
    return found


def _chosen(value: Any) -> Any:
    """The task that a table describes; what is not a table is left to be refused."""
    if not isinstance(value, Mapping):
        return value
    name = value.get("kind", DEFAULT)
    if not isinstance(name, str):
        raise PydanticCustomError("unknown_word", "should be a text.", {"key": "kind"})
    return load_kind(name).model_validate({**value, "kind": name})


AnyTask = Annotated[SerializeAsAny[Task], BeforeValidator(_chosen)]
"""A task of any installed kind, chosen by its key `kind`."""


def _listed(words: list[str]) -> str:
    quoted = [repr(word) for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
