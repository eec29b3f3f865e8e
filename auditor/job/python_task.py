"""The keys of a task that the client's own Python code defines."""

from __future__ import annotations

import hashlib
import keyword
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.client_files import expanded, is_named, name_and_path, named, prefix_and_path
from auditor.job.network_task import NetworkTask
from auditor.job.task import Task, check_path

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

    kind: Literal["python"] = Field(default="python", description="the only kind that there is here")
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
        if is_named(value):
            return value
        if not value.endswith(".py") and not all(
            part.isidentifier() and not keyword.iskeyword(part) for part in value.split(".")
        ):
            raise PydanticCustomError(
                "unknown_word",
                "{value} is neither a Python file, whose name ends in .py, nor the name of a module.",
                {"value": repr(value)},
            )
        return named(value) if value.endswith(".py") else value

    @field_validator("needs")
    @classmethod
    def _needs_lie_beside_the_job_file(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(named, value))

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
        return is_named(self.module)

    @property
    def module_name(self) -> str:
        """The name of the file, or of the installed module."""
        return name_and_path(self.module)[0]

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
        return {key: prefix_and_path(item) for key, item in items.items()}

    def with_files(self, places: Mapping[str, str]) -> Self:
        """See `Task`."""
        needs = tuple(places.get(f"needs.{number}", item) for number, item in enumerate(self.needs))
        return self.model_copy(update={"module": places.get("module", self.module), "needs": needs})

    def relative_to(self, folder: Path) -> Self:
        """See `Task`; a folder that the code needs becomes the files in it."""
        resolved = super().relative_to(folder)
        return resolved.model_copy(update={"needs": expanded(resolved.needs)})

    def source_of(self, part: str) -> str:
        """See `Task`."""
        return f"module = {self.module_name!r}"


def _strange(value: object) -> object | None:
    """The first value that JSON has no form for; None where there is none."""
    if isinstance(value, Mapping):
        return next((found for inner in value.values() if (found := _strange(inner)) is not None), None)
    if isinstance(value, list | tuple):
        return next((found for inner in value if (found := _strange(inner)) is not None), None)
    if isinstance(value, float):
        return None if math.isfinite(value) else value
    return None if isinstance(value, bool | int | str) else value
