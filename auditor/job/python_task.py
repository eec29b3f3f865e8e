"""The keys of a task that the client's own Python code defines."""

from __future__ import annotations

import hashlib
import keyword
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.network_task import NetworkTask
from auditor.job.task import Task, check_path

MAX_FILES = 2_000
"""More files beside the module are data; a provider finds those better by a path of its own."""

_NAMED = re.compile(r"(?P<name>[^=]+)=(?P<path>.+)", re.DOTALL)

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,63}$")]


class PythonTask(Task):
    """A module with a function that returns an `auditor.tasks.own.workload.Workload`.

    A file is written as `NAME=PATH` once its path is resolved: providers lay the files out under these names, and so
    see what the client sees beside its job file.
    """

    program = "auditor.tasks.own.program:OwnProgram"
    survey = "auditor.tasks.own.survey:survey_code"
    trained_by = NetworkTask.trained_by
    audit_defaults: ClassVar[Mapping[str, Any]] = {"metrics": ["update"]}

    kind: Literal["python"] = "python"
    module: str = Field(
        description="the client's code: a Python file beside the job file, or the name of a module that every provider "
        "has installed"
    )
    factory: Word = Field(default="workload", description="the function in it that returns the workload")
    options: dict[Word, Any] = Field(default={}, description="what the function is called with, by keyword")
    needs: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="files and folders that the code imports or reads, beside the job file or below; providers get "
        "them, and no others",
    )
    samples: Literal["any", "images", "texts"] = Field(
        default="any",
        description="`images` says that inputs are uint8 images [N, C, H, W], and `texts` that they are token ids, "
        "int64 [N, L] with 0 as padding, so that attacks and metrics on images or texts can be used",
    )

    @field_validator("module")
    @classmethod
    def _module_is_a_file_or_a_name(cls, value: str) -> str:
        check_path(value)
        if _NAMED.fullmatch(value):
            return value
        if not value.endswith(".py") and not all(
            part.isidentifier() and not keyword.iskeyword(part) for part in value.split(".")
        ):
            raise PydanticCustomError(
                "unknown_word",
                "{value} is neither a Python file, whose name ends in .py, nor the name of a module.",
                {"value": repr(value)},
            )
        return _named(value) if value.endswith(".py") else value

    @field_validator("needs")
    @classmethod
    def _needs_lie_beside_the_job_file(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            check_path(f":{item}")
        return tuple(map(_named, value))

    @model_validator(mode="after")
    def _options_can_be_kept(self) -> Self:
        """A run keeps its job as JSON, and providers get it so."""
        if (strange := _strange(self.options)) is not None:
            raise PydanticCustomError(
                "option",
                "{value} is not a valid value for an option; give numbers, texts, true or false, lists and tables.",
                {"value": repr(strange), "key": "options"},
            )
        if self.needs and not self.own_file:
            raise PydanticCustomError(
                "impossible",
                "goes with a module that is a file; what an installed module needs is installed with it.",
                {"key": "needs"},
            )
        return self

    def __hash__(self) -> int:
        """Equal tasks have equal ones."""
        return hash(self.model_dump_json())

    @property
    def akin(self) -> tuple[str, ...]:
        """See `Task`."""
        return {"any": (), "images": ("vision",), "texts": ("text",)}[self.samples]

    @property
    def own_file(self) -> bool:
        """Whether the module is a file of the client's, rather than installed."""
        return _NAMED.fullmatch(self.module) is not None

    @property
    def module_name(self) -> str:
        """The name of the file, or of the installed module."""
        return self.module.partition("=")[0]

    @property
    def model_name(self) -> str:
        """See `Task`."""
        return PurePosixPath(self.module_name).name

    @property
    def title(self) -> str:
        """See `Task`."""
        return f"{self.model_name} {self.factory}"

    @property
    def code(self) -> str:
        """See `Task`; of files that are named by their digests, or of the name of an installed module."""
        named = sorted((self.module, *self.needs))
        return hashlib.sha256("\n".join(named).encode()).hexdigest()

    @property
    def ships(self) -> bool:
        """See `Task`."""
        return True

    def files(self) -> dict[str, tuple[str, str]]:
        """See `Task`."""
        items = {"module": self.module} if self.own_file else {}
        items |= {f"needs.{number}": item for number, item in enumerate(self.needs)}
        return {key: (f"{name}=", path) for key, (name, path) in ((k, _parts(item)) for k, item in items.items())}

    def with_files(self, places: Mapping[str, str]) -> Self:
        """See `Task`."""
        needs = tuple(places.get(f"needs.{number}", item) for number, item in enumerate(self.needs))
        return self.model_copy(update={"module": places.get("module", self.module), "needs": needs})

    def relative_to(self, folder: Path) -> Self:
        """See `Task`; a folder that the code needs becomes the files in it."""
        resolved = super().relative_to(folder)
        return resolved.model_copy(update={"needs": tuple(_expanded(resolved.needs))})

    def source_of(self, part: str) -> str:
        """See `Task`."""
        return f"module = {self.module_name!r}"


def _named(item: str) -> str:
    """A file as `NAME=PATH`, where NAME is its place beside the job file."""
    if _NAMED.fullmatch(item):
        return item
    place = PurePosixPath(item)
    if place.is_absolute() or ".." in place.parts or item.startswith("~") or not place.parts:
        raise PydanticCustomError(
            "unknown_word",
            "{value} does not lie beside the job file or below it; providers could not lay it out as it is here. Move "
            "it there.",
            {"value": repr(item)},
        )
    return f"{place}={place}"


def _parts(item: str) -> tuple[str, str]:
    name, _, path = item.partition("=")
    return name, path


def _expanded(items: Iterable[str]) -> list[str]:
    """Files, with those of each folder instead of the folder; hidden ones and what Python compiled are left out."""
    found: list[str] = []
    for item in items:
        name, path = _parts(item)
        if not Path(path).is_dir():
            found.append(item)
            continue
        for inner in sorted(Path(path).rglob("*")):
            place = inner.relative_to(path)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in place.parts)
            if inner.is_file() and not hidden:
                found.append(f"{name}/{place.as_posix()}={inner}")
            if len(found) > MAX_FILES:
                return found
    return found


def _strange(value: object) -> object | None:
    """The first value that JSON has no form for; None where there is none."""
    if isinstance(value, Mapping):
        return next((found for inner in value.values() if (found := _strange(inner)) is not None), None)
    if isinstance(value, list | tuple):
        return next((found for inner in value if (found := _strange(inner)) is not None), None)
    if isinstance(value, float):
        return None if math.isfinite(value) else value
    return None if isinstance(value, bool | int | str) else value
