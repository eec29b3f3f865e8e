"""What every kind of task in a job file has; each kind adds its own keys in a separate file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen

if TYPE_CHECKING:
    from auditor.job.training import Training


class Task(Frozen):
    """What is trained: the table [task] of a job.

    A kind of task is a subclass with its keys, named in the entry-point group `auditor.tasks` under its `kind`. It
    must not import PyTorch: `program` names what does, and is imported where the task is executed.
    """

    program: ClassVar[str]
    """The subclass of `auditor.tasks.program.Program` that executes tasks of this kind, as `module:Class`."""

    survey: ClassVar[str] = ""
    """A function that takes a first look at the data of a task, as `module:function`; empty for none.

    It imports no PyTorch, and returns an `auditor.tasks.inventory.Inventory`, or None where no quick look is possible.
    """

    trained_by: ClassVar[frozenset[str]] = frozenset({"batch_size"})
    """The keys of [training] that it uses beside `steps`; others are refused."""

    training_defaults: ClassVar[Mapping[str, Any]] = {}
    """What [training] has where the job file says nothing and this kind wants something else than usual."""

    audit_defaults: ClassVar[Mapping[str, Any]] = {}
    """What [audit] has where the job file says nothing and this kind wants something else than usual."""

    hooks: ClassVar[frozenset[str] | None] = None
    """The hooks of `auditor.plugins.attack.Attack` that are called while it is trained; None for all.

    An attack that acts at none of them does nothing here, and is refused.
    """

    kind: str

    @property
    def akin(self) -> tuple[str, ...]:
        """Other kinds whose plugins serve this one, too, because samples and models have the same form."""
        return ()

    @property
    def code(self) -> str | None:
        """SHA-256 of the client's own code that a provider must execute for it; None where there is none.

        Of a task that names its files by what is in them, as providers get it.
        """
        return None

    @property
    def ships(self) -> bool:
        """Whether the client sends the files of `files` to agents that do not have them."""
        return False

    @property
    def model_name(self) -> str:
        """What learns, in one word."""
        return self.kind

    @property
    def title(self) -> str:
        """What is learned by what, for people."""
        return self.kind

    @property
    def draws(self) -> bool:
        """Whether training draws anything at random; if it does not, other seeds lead to the same model."""
        return True

    @property
    def downloads(self) -> bool:
        """Whether its data may have to be fetched from the network."""
        return False

    def files(self) -> dict[str, tuple[str, str]]:
        """The keys that lead to files, each with what stands before the path and the path.

        Everywhere else files are named by what is in them, so a kind must list all of its files here.
        """
        return {}

    def with_files(self, places: Mapping[str, str]) -> Self:
        """The same task with other values for keys of `files`."""
        return self.model_copy(update=dict(places))

    def relative_to(self, folder: Path) -> Self:
        """The same task with its paths resolved against `folder`, where the job file lies."""
        return self.with_files(
            {
                key: f"{prefix}{(folder / Path(path).expanduser()).resolve()}"
                for key, (prefix, path) in self.files().items()
            }
        )

    def impossible_training(self, training: Training) -> Iterable[tuple[str, str]]:
        """What this task cannot be trained with: keys of [training], each with what to do."""
        return ()

    def source_of(self, part: str) -> str:
        """Which key a part of the data comes from, and what it says.

        Args:
            part: a name that the program of this kind gives a part, such as `training part`.
        """
        return f"kind = {self.kind!r}"


def check_path(value: str) -> None:
    """Refuse a value whose path, after the first colon if it has one, cannot be one on this machine.

    Raises:
        PydanticCustomError: says why.
    """
    if not value.strip():
        raise PydanticCustomError("unknown_word", "is empty; give the path of a file, or remove the key.", {})
    try:
        Path(value.partition(":")[2] or value).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise PydanticCustomError(
            "unknown_word", "{value} is not a path: {error}", {"value": repr(value), "error": _path_fault(value, error)}
        ) from None


def _path_fault(value: str, error: Exception) -> str:
    """Why a text is no path, in words."""
    if isinstance(error, RuntimeError):
        user = value.partition(":")[2].partition("/")[0] or value.partition("/")[0]
        return f"this machine has no user {user.removeprefix('~')!r}."
    if "null byte" in str(error):
        return "it holds the character NUL."
    return f"{error}."
