"""The keys of a task that the client's own program executes, in whatever language and framework."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.client_files import expanded, named, prefix_and_path
from auditor.job.python_task import PythonTask
from auditor.job.task import Task

if TYPE_CHECKING:
    from auditor.job.training import Training

PLACEHOLDERS: Mapping[str, str] = {
    "checkpoint_in": "the file that steps start from",
    "checkpoint_out": "the file that the program writes",
    "start_step": "the number of the first step, from 0",
    "steps": "how many steps to execute",
    "seed": "the seed of all that is random, from 0 to 2^31 - 1",
    "device": "cpu or cuda:N",
    "threads": "how many CPU threads to use",
    "precision": "fp32, tf32 or bf16",
    "python": "the Python that executes auditor",
}
"""What stands in braces in a command, and what takes its place."""

NEEDED = ("checkpoint_in", "checkpoint_out", "start_step", "steps")
"""Without these a program does not know what to execute."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
MAX_ARGUMENTS = 1_000

Argument = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]


class CommandTask(Task):
    """A program that starts from a file of tensors, executes steps, and writes such a file.

    Files are safetensors. What the program calls `optimizer.…` is the state of its optimizer; everything else is its
    model. Providers lay out what is in `needs` as it lies beside the job file, and start the command there.
    """

    program = "auditor.tasks.command.program:CommandProgram"
    survey = "auditor.tasks.command.survey:survey_command"
    trained_by = frozenset({"precision"})
    hooks = frozenset({"on_initial", "skips", "on_command", "on_checkpoint"})
    audit_defaults: ClassVar[Mapping[str, Any]] = {"metrics": ["update"]}

    kind: Literal["command"] = "command"
    command: tuple[Argument, ...] = Field(
        strict=False,
        min_length=1,
        max_length=MAX_ARGUMENTS,
        description="the program and its arguments, with " + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
    )
    begin: tuple[Argument, ...] = Field(
        default=(),
        strict=False,
        max_length=MAX_ARGUMENTS,
        description="a program that writes the initial state to {checkpoint_out}, drawn from {seed}; "
        "training.initial names a file with it if not given",
    )
    needs: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="files and folders that the program consists of or reads, beside the job file or below; providers "
        "get them, and no others",
    )
    buffers: tuple[str, ...] = Field(
        default=("*running_mean", "*running_var"),
        strict=False,
        description="names, with * for any characters, of tensors that the model keeps and does not learn; those of "
        "integers need not be named",
    )
    python: PythonTask | None = Field(
        default=None,
        description='the model in Python, for metrics that compute with it, as in { module = "model.py" }; its '
        "factory returns a workload, and its parameters have the names of the files",
    )
    seconds: PositiveFloat = Field(default=86_400.0, description="the longest that one execution may take")
    gigabytes: PositiveFloat = Field(default=100.0, description="the most that one execution may write")

    @field_validator("command", "begin")
    @classmethod
    def _placeholders_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for argument in value:
            for name in _PLACEHOLDER.findall(argument):
                if name not in PLACEHOLDERS:
                    raise PydanticCustomError(
                        "unknown_word",
                        "{value} stands for nothing; use {known}.",
                        {
                            "value": f"{{{name}}}",
                            "known": [f"{{{known}}}" for known in PLACEHOLDERS],
                        },
                    )
        return value

    @field_validator("needs")
    @classmethod
    def _needs_lie_beside_the_job_file(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(named, value))

    @model_validator(mode="after")
    def _command_is_told_what_to_do(self) -> Self:
        given = set(_PLACEHOLDER.findall("\n".join(self.command)))
        if missing := [name for name in NEEDED if name not in given]:
            name = missing[0]
            raise PydanticCustomError(
                "impossible",
                "does not hold {name}, {meaning}; the program must be told.",
                {"key": "command", "name": f"{{{name}}}", "meaning": PLACEHOLDERS[name]},
            )
        if self.begin and "checkpoint_out" not in _PLACEHOLDER.findall("\n".join(self.begin)):
            raise PydanticCustomError(
                "impossible",
                "does not hold {name}, the file that it writes; the program must be told.",
                {"key": "begin", "name": "{checkpoint_out}"},
            )
        return self

    def __hash__(self) -> int:
        """Equal tasks have equal ones."""
        return hash(self.model_dump_json())

    @property
    def akin(self) -> tuple[str, ...]:
        """See `Task`; the kinds whose samples the Python model takes."""
        return () if self.python is None else ("python", *self.python.akin)

    @property
    def model_name(self) -> str:
        """See `Task`; the first file that the command names, else the program."""
        files = {name for name, _ in (prefix_and_path(item) for item in self.needs)}
        found = next((word for word in self.command if f"{PurePosixPath(word)}=" in files), self.command[0])
        return PurePosixPath(found).name

    @property
    def title(self) -> str:
        """See `Task`."""
        return f"command {self.model_name}"

    @property
    def code(self) -> str:
        """See `Task`; of the commands, and of files that are named by their digests."""
        python = None if self.python is None else [self.python.code, self.python.factory, self.python.options]
        return hashlib.sha256(
            json.dumps([self.command, self.begin, sorted(self.needs), python], sort_keys=True).encode()
        ).hexdigest()

    @property
    def ships(self) -> bool:
        """See `Task`."""
        return True

    @property
    def own_files(self) -> dict[str, tuple[str, str]]:
        """The files that are laid out where the command is started; as those of `files`."""
        return {f"needs.{number}": prefix_and_path(item) for number, item in enumerate(self.needs)}

    def files(self) -> dict[str, tuple[str, str]]:
        """See `Task`."""
        of_python = {} if self.python is None else self.python.files()
        return self.own_files | {f"python.{key}": value for key, value in of_python.items()}

    def with_files(self, places: Mapping[str, str]) -> Self:
        """See `Task`."""
        needs = tuple(places.get(f"needs.{number}", item) for number, item in enumerate(self.needs))
        if self.python is None:
            return self.model_copy(update={"needs": needs})
        of_python = {key.removeprefix("python."): value for key, value in places.items() if key.startswith("python.")}
        return self.model_copy(update={"needs": needs, "python": self.python.with_files(of_python)})

    def relative_to(self, folder: Path) -> Self:
        """See `Task`; a folder that the program needs becomes the files in it."""
        resolved = super().relative_to(folder)
        python = None if self.python is None else self.python.relative_to(folder)
        return resolved.model_copy(update={"needs": expanded(resolved.needs), "python": python})

    def impossible_training(self, training: Training) -> Iterable[tuple[str, str]]:
        """See `Task`; training starts somewhere."""
        if not self.begin and training.initial is None:
            yield (
                "initial",
                "is needed here: name a file with the initial state, or give task.begin, a command that writes one.",
            )

    def source_of(self, part: str) -> str:
        """See `Task`."""
        return f"command = {self.model_name!r}"


def filled(command: Iterable[str], values: Mapping[str, object]) -> list[str]:
    """A command with values in place of what stands in braces.

    Args:
        command: the program and its arguments.
        values: by the names of `PLACEHOLDERS`.
    """
    return [_PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), word) for word in command]
