"""From a TOML file to a `Job`, or to a `JobError` that names every problem with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from auditor.base.user_file import UserFileError, read_user_text
from auditor.job.audit import Audit
from auditor.job.errors import MAX_PROBLEMS, JobError, Problem, nearest, value_text
from auditor.job.evolution import Evolution, UpdateAudit, UpdateTraining
from auditor.job.key_lines import inner_values, key_lines, nearest_line
from auditor.job.model import Job
from auditor.job.provider import Provider
from auditor.job.task_kinds import kind_of, kinds_with, load_kind
from auditor.job.training import SGD, AdamW, Constant, Cosine, Training, Triangular

MAX_BYTES = 1 << 18
"""No job file needs more; a larger one is something else, given by mistake."""

MAX_DEPTH = 16
"""How deep values may lie within one another; options of plugins that wrap plugins take four levels each."""

MAX_KEY_PARTS = 100
"""Where the parser, which takes the square of their number, is not asked any more."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{MAX_KEY_PARTS}}}")

INTEGERS = range(-(2**63), 2**63)
"""What TOML calls an integer."""

Model = TypeVar("Model", bound=BaseModel)

Sections = Callable[[Mapping[str, Any]], Mapping[str, type[BaseModel]]]
"""The model of each table by its dotted path, for a whole text."""

_LEARNING: dict[str, type[BaseModel]] = {
    "optimizer.sgd": SGD,
    "optimizer.adamw": AdamW,
    "schedule.constant": Constant,
    "schedule.cosine": Cosine,
    "schedule.triangular": Triangular,
}

SECTIONS: dict[str, type[BaseModel]] = {
    "": Job,
    "training": Training,
    "audit": Audit,
    "evolution": Evolution,
    "evolution.training": UpdateTraining,
    "evolution.audit": UpdateAudit,
    "providers": Provider,
    **{f"{table}.{key}": model for table in ("training", "evolution.training") for key, model in _LEARNING.items()},
}
"""The model of each table of a job file that does not depend on the kind of its task, by its dotted path."""


def load_job(path: Path) -> Job:
    """Read and validate a job file; paths in it are relative to the folder that it lies in.

    Raises:
        JobError: the file cannot be read, is not TOML, or asks for something impossible.
    """
    return parse_job(read_text(path), source=str(path), folder=job_folder(path))


def job_folder(path: Path) -> Path:
    """What relative paths in a job file are relative to: the folder that it lies in.

    Raises:
        JobError: its name is not text, so that no job can hold it.
    """
    folder = path.resolve().parent
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        problem = f"is in a folder whose name is not UTF-8 text, {str(folder)!r}; rename the folder."
        raise JobError(str(path), [Problem(problem)]) from None
    return folder


def read_text(path: Path) -> str:
    """The text of a job file, or of another file that is written like one.

    Raises:
        JobError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        return read_user_text(path, MAX_BYTES)
    except UserFileError as error:
        raise JobError(str(path), [Problem(f"{error}. Give the path of a job file.")]) from None


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
    job = parse_model(text, Job, _sections, source=source, folder=folder)
    if folder is None:
        return job
    return job.model_copy(
        update={
            "task": job.task.relative_to(folder),
            "training": job.training.relative_to(folder),
            "evolution": None if job.evolution is None else job.evolution.relative_to(folder, job.task),
            "providers": tuple(provider.relative_to(folder) for provider in job.providers),
        }
    )


def parse_model(
    text: str,
    model: type[Model],
    sections: Sections,
    *,
    source: str,
    folder: Path | None = None,
) -> Model:
    """Validate a TOML text as a model.

    Args:
        text: TOML.
        model: what it should be.
        sections: to name the keys that each table may have.
        source: what errors call the text.
        folder: what relative paths in it are relative to.

    Raises:
        JobError: with every problem found.
    """
    table = _parsed(text, source)
    try:
        return model.model_validate(table, context={"folder": folder or Path()})
    except ValidationError as error:
        lines, errors = key_lines(text), error.errors(include_url=False)
        details = [detail for detail in errors if not _is_echo(detail, errors)]
        details.sort(key=lambda detail: nearest_line(lines, _written_path(detail["loc"])) or 0)
        problems = [_problem(detail, lines, sections(table)) for detail in details[:MAX_PROBLEMS]]
        raise JobError(source, problems, beyond=len(details) - len(problems)) from None


def _sections(table: Mapping[str, Any]) -> Mapping[str, type[BaseModel]]:
    try:
        return SECTIONS | {"task": load_kind(kind_of(table.get("task")))}
    except PydanticCustomError:
        return SECTIONS


def _parsed(text: str, source: str) -> dict[str, Any]:
    """TOML as a table that is not too deep, with no numbers that TOML does not know.

    Raises:
        JobError: it is something else.
    """
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise JobError(source, [Problem(f"is not a job file: a key has more than {MAX_KEY_PARTS} parts.", line=line)])
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise JobError(source, [_syntax_problem(text, error)]) from None
    except RecursionError:
        raise JobError(source, [Problem("is not a job file: its values are nested too deeply.")]) from None
    except ValueError as error:  # the parser lets through what Python says of an integer of thousands of digits
        reason = str(error).partition(";")[0]
        raise JobError(source, [Problem(f"holds a number that no key accepts: {reason}.")]) from None
    for path, value in inner_values(table, deepest=MAX_DEPTH + 1):
        if len(path) > MAX_DEPTH:
            message = f"is nested too deeply; a value can be inside at most {MAX_DEPTH} others."
        elif isinstance(value, int) and value not in INTEGERS:
            message = "is a number that no key accepts; integers in TOML range from -2^63 to 2^63 - 1."
        else:
            continue
        key = ".".join(str(part) for part in path[:4]) + ("…" if len(path) > 4 else "")
        raise JobError(source, [Problem(message, key=key, line=nearest_line(key_lines(text), path))])
    return table


def _syntax_problem(text: str, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    words, _, place = message.rpartition(" (at ")
    if place.startswith("line "):
        line = int(place.removeprefix("line ").partition(",")[0])
        return Problem(f"is not valid TOML: {words[:1].lower() + words[1:]}.", line=line)
    return Problem(f"is not valid TOML: {message}.", line=max(1, text.count("\n") + 1))


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only called too short because the elements that it has are wrong themselves."""
    if detail["type"] != "too_short":
        return False
    place = detail["loc"]
    return any(other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details)


def _problem(
    detail: ErrorDetails, lines: dict[tuple[str | int, ...], int], sections: Mapping[str, type[BaseModel]]
) -> Problem:
    """Say a validation error in the words of the job file."""
    context: dict[str, Any] = detail.get("ctx") or {}
    path = _written_path(detail["loc"])
    known = _known_keys(detail["loc"], sections)
    if at := context.get("key"):
        extra = tuple(int(part) if part.isdigit() else part for part in str(at).split("."))
        path = extra if extra[0] in ("audit", "providers") else (*path, *extra)
    return Problem(
        message=_message(detail, context, path, known),
        key=".".join(str(part) for part in path),
        line=nearest_line(lines, path),
        suggestion=_suggestion(detail, context, known),
    )


_CHOICES: Mapping[str | int, int] = {"optimizer": 1, "schedule": 1, "schedules": 2}
"""Keys with a choice, or with a list of them, and how far behind them the tag is."""


def _written_path(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """The location without the tag that a choice between optimizers or schedules adds to it."""
    path = list(location)
    for place, part in enumerate(path):
        if part in _CHOICES and len(path) > (tag := place + _CHOICES[part]):
            del path[tag]
            break
    return tuple(path)


def _message(
    detail: ErrorDetails, context: Mapping[str, Any], path: tuple[str | int, ...], known: Sequence[str]
) -> str:
    kind, value = detail["type"], detail["input"]
    match kind:
        case "missing":
            return "is missing and has no default; add it."
        case "extra_forbidden" if path[:-1] == ("task",) and (kinds := kinds_with(str(path[-1]))):
            word = " and ".join(kinds)
            return f"is a key of {word} tasks; remove it, or set kind = {kinds[0]!r}."
        case "extra_forbidden":
            return f"is not a known key here; the keys are {', '.join(known)}."
        case "literal_error" | "union_tag_invalid":
            allowed = context.get("expected") or context.get("expected_tags")
            shown = value.get("name") if isinstance(value, dict) else value
            return f"{value_text(shown)} is not allowed; use {allowed}."
        case "union_tag_not_found":
            return 'needs a `name`, as in { name = "…" }.'
        case "model_type" if "metrics" in path or "attack" in path:
            return f'{value_text(value)} is not allowed; give a name, or {{ name = "…", option = … }}.'
        case "string_pattern_mismatch":
            return "must not contain control characters or marks that change the direction of writing."
        case "too_long":
            return f"has {context['actual_length']:,} entries; give at most {context['max_length']:,}."
        case _ if kind in _OWN_ERRORS:
            return detail["msg"]
        case _:
            wanted = _SHAPES.get(kind) or f"{detail['msg'][:1].lower()}{detail['msg'][1:]}"
            return f"{value_text(value)} is not allowed: {wanted}."


_SHAPES = {
    "tuple_type": "it should be a list, as in [ … ]",
    "dict_type": "it should be a table, as in { … }",
    "model_type": "it should be a table, as in { … }",
    "model_attributes_type": "it should be a table, as in { … }",
}
"""TOML's words for what pydantic names after Python's types."""

_OWN_ERRORS = {
    "unknown_word",
    "endpoint",
    "selection",
    "metrics",
    "attack",
    "named_file",
    "option",
    "impossible",
}


def _suggestion(detail: ErrorDetails, context: Mapping[str, Any], known: Sequence[str]) -> str | None:
    value = context.get("value", detail["input"])
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
