"""From a TOML file to a `Job`, or to a `JobError` that names every problem with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from auditor.job.errors import JobError, Problem, nearest
from auditor.job.lines import key_lines, nearest_line
from auditor.job.model import SGD, AdamW, Audit, Constant, Cosine, Job, Provider, Training, Triangular
from auditor.job.task import Task

MAX_BYTES = 1 << 20
"""No job file needs more; a larger one is something else, given by mistake."""

Model = TypeVar("Model", bound=BaseModel)

_SECTIONS: dict[str, type[BaseModel]] = {
    "": Job,
    "task": Task,
    "training": Training,
    "training.optimizer.sgd": SGD,
    "training.optimizer.adamw": AdamW,
    "training.schedule.constant": Constant,
    "training.schedule.cosine": Cosine,
    "training.schedule.triangular": Triangular,
    "audit": Audit,
    "providers": Provider,
}


def load_job(path: Path) -> Job:
    """Read and validate a job file; paths in it are relative to the folder that it lies in.

    Raises:
        JobError: the file cannot be read, is not TOML, or asks for something impossible.
    """
    return parse_job(read_text(path), source=str(path), folder=path.resolve().parent)


def read_text(path: Path) -> str:
    """The text of a job file, or of another file that is written like one.

    Raises:
        JobError: it cannot be read, is too large, or is not UTF-8.
    """
    source = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise JobError(source, [Problem(f"a job file has at most {MAX_BYTES} bytes; is this one?")])
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        raise JobError(source, [Problem(f"cannot be read: {reason}. Give the path of a job file.")]) from None
    except UnicodeDecodeError:
        raise JobError(source, [Problem("is not UTF-8 text. Give the path of a job file.")]) from None


def parse_job(text: str, *, source: str = "job", folder: Path | None = None) -> Job:
    """Validate the text of a job file.

    Args:
        text: TOML.
        source: what errors call the text.
        folder: what relative paths in the job are relative to; None leaves them as they are. The plugin files
            that the job names are read, and become part of it.

    Raises:
        JobError: with every problem found.
    """
    job = parse_model(text, Job, _SECTIONS, source=source, folder=folder)
    return job if folder is None else job.model_copy(update={"task": job.task.relative_to(folder)})


def parse_model(
    text: str,
    model: type[Model],
    sections: Mapping[str, type[BaseModel]],
    *,
    source: str,
    folder: Path | None = None,
) -> Model:
    """Validate a TOML text as a model.

    Args:
        text: TOML.
        model: what it should be.
        sections: the model of each table by its dotted path, to name the keys that it may have.
        source: what errors call the text.
        folder: what relative paths in it are relative to.

    Raises:
        JobError: with every problem found.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise JobError(source, [_syntax_problem(text, error)]) from None
    except RecursionError:
        raise JobError(source, [Problem("is not a job file: its values are nested too deeply.")]) from None
    except ValueError as error:  # the parser lets through what Python says of an integer of thousands of digits
        reason = str(error).partition(";")[0]
        raise JobError(source, [Problem(f"holds a number that no key takes: {reason}.")]) from None
    try:
        return model.model_validate(table, context={"folder": folder or Path()})
    except ValidationError as error:
        lines = key_lines(text)
        details = [detail for detail in error.errors() if not _is_echo(detail, error.errors())]
        raise JobError(source, [_problem(detail, lines, sections) for detail in details]) from None


def _syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    words, _, place = message.rpartition(" (at ")
    if place.startswith("line "):
        line = int(place.removeprefix("line ").partition(",")[0])
        return Problem(f"is not valid TOML: {words[:1].lower() + words[1:]}.", line=line)
    return Problem(f"is not valid TOML: {message}.", line=max(1, text.count("\n") + 1))


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only called too short because the elements that it has are wrong themselves."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details
    )


def _problem(
    detail: ErrorDetails, lines: dict[tuple[str | int, ...], int], sections: Mapping[str, type[BaseModel]]
) -> Problem:
    """Say a validation error in the words of the job file."""
    context: dict[str, Any] = detail.get("ctx") or {}
    path = _written_path(detail["loc"])
    known = _known_keys(detail["loc"], sections)
    if at := context.get("key"):
        extra = tuple(str(at).split("."))
        path = extra if extra[0] in ("audit", "providers") else (*path, *extra)
    return Problem(
        message=_message(detail, context, path, known),
        key=".".join(str(part) for part in path),
        line=nearest_line(lines, path),
        suggestion=_suggestion(detail, context, known),
    )


def _written_path(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """The location without the tag that a choice between optimizers or schedules adds to it."""
    path = list(location)
    if path[:2] in (["training", "optimizer"], ["training", "schedule"]) and len(path) > 2:
        del path[2]
    return tuple(path)


def _message(
    detail: ErrorDetails, context: Mapping[str, Any], path: tuple[str | int, ...], known: Sequence[str]
) -> str:
    kind, value = detail["type"], detail["input"]
    match kind:
        case "missing":
            return "is missing; it has no default."
        case "extra_forbidden":
            return f"is not a key here; allowed are {', '.join(known)}."
        case "literal_error" | "union_tag_invalid":
            allowed = context.get("expected") or context.get("expected_tags")
            shown = value.get("name") if isinstance(value, dict) else value
            return f"{shown!r} is not allowed; allowed are {allowed}."
        case "union_tag_not_found":
            return 'needs a `name`, as in { name = "…" }.'
        case "model_type" if "metrics" in path or "attack" in path:
            return f'{value!r} is not allowed; give a name, or {{ name = "…", option = … }}.'
        case "string_pattern_mismatch":
            return "must not hold control characters."
        case _ if kind in _OWN_ERRORS:
            return detail["msg"]
        case _:
            shown = repr(value)
            shown = shown if len(shown) <= 60 else shown[:57] + "…"
            wanted = _SHAPES.get(kind) or f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
            return f"{shown} is not allowed: {wanted}."


_SHAPES = {
    "tuple_type": "it should be a list, as in [ … ]",
    "dict_type": "it should be a table, as in { … }",
    "model_type": "it should be a table, as in { … }",
    "model_attributes_type": "it should be a table, as in { … }",
}
"""TOML's words for what pydantic names after Python's types."""

_OWN_ERRORS = {"unknown_word", "endpoint", "selection", "metrics", "attack", "plugin_file", "noise_file", "impossible"}


def _suggestion(detail: ErrorDetails, context: Mapping[str, Any], known: Sequence[str]) -> str | None:
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        return nearest(str(detail["loc"][-1]), known)
    if isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str):
        return None
    allowed = str(context.get("expected") or context.get("expected_tags") or "").replace(" or ", ",")
    words = context.get("known") or [word.strip(" '") for word in allowed.split(",")]
    return nearest(value, [word for word in words if word])


def _known_keys(location: Sequence[str | int], sections: Mapping[str, type[BaseModel]]) -> list[str]:
    """The keys beside the last one of a location; those of the named optimizer or schedule alone."""
    section = ".".join(str(part) for part in location[:-1] if isinstance(part, str))
    model = sections.get(section)
    return sorted(model.model_fields) if model else []
