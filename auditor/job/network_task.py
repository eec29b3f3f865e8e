"""Tasks that a neural network learns from labelled samples: a dataset and a model, each named by a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.dataset_slice import TRAIN, Stream, stream_index
from auditor.job.drift import Drift
from auditor.job.task import Task, check_path
from auditor.job.task_kinds import installed_kinds, load_kind

FORM = "form"
"""What the part of the data is called that a dataset has from the one that it is read like."""

DOWNLOADED = "torchvision:"
"""What stands before the name of a dataset that is no file of the client's."""


class NetworkTask(Task):
    """A dataset and a model."""

    trained_by = frozenset({"batch_size", "optimizer", "schedule", "precision", "accumulate", "clip_norm"})

    datasets: ClassVar[tuple[str, ...]]
    """The forms of `dataset`: a word, or `word:SOMETHING`."""

    models: ClassVar[tuple[str, ...]]
    """The forms of `model`; the first is the default."""

    dataset: str
    model: str
    ship: bool = Field(
        default=False,
        description="sends the files of the data to agents that do not have them; without it, an agent's owner offers "
        "them with `--data`",
    )
    stream: Stream | None = Field(
        default=None,
        description="divides the training samples: `{ slices = 15, share = 0.5 }` leaves half for the slice `train`",
    )
    slice: str = Field(
        default=TRAIN, description="the training samples that are trained on: `train`, or `stream[I]` counted from 0"
    )
    like: str | None = Field(
        default=None,
        description="the dataset whose classes, pixel scale and tokens `dataset` is read with, so that a model of that "
        "one can be trained further on this one; its own if not given",
    )
    drift: Drift | None = Field(
        default=None,
        description='a drift that changes all samples: `{ name = "rotate", amount = 12.0 }`, and options of its own',
    )

    @field_validator("dataset", "like")
    @classmethod
    def _known_dataset(cls, value: str | None) -> str | None:
        if value is None:
            return value
        _check_word(cls, "datasets", value, "dataset")
        if not value.startswith(DOWNLOADED):
            check_path(value)
        return value

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        _check_word(cls, "models", value, "model")
        return value

    @field_validator("slice")
    @classmethod
    def _known_slice(cls, value: str) -> str:
        try:
            stream_index(value)
        except ValueError:
            raise PydanticCustomError(
                "unknown_word",
                "unknown slice {value}; use train, or stream[I] with I counted from 0.",
                {"value": repr(value), "known": [TRAIN, "stream[0]"]},
            ) from None
        return value

    @model_validator(mode="after")
    def _slice_exists(self) -> Self:
        index = stream_index(self.slice)
        if index is not None and (self.stream is None or index >= self.stream.slices):
            there = "no stream" if self.stream is None else f"slices stream[0] to stream[{self.stream.slices - 1}]"
            raise PydanticCustomError(
                "impossible",
                "{slice} is not there: this task has {there}. Set task.stream, or use another slice.",
                {"key": "slice", "slice": self.slice, "there": there},
            )
        return self

    @property
    def model_name(self) -> str:
        """See `Task`."""
        return self.model

    @property
    def ships(self) -> bool:
        """See `Task`."""
        return self.ship

    @model_validator(mode="after")
    def _only_files_are_sent(self) -> Self:
        forms = [prefix for prefix, _ in self.files().values()]
        if self.ship and (not forms or "images:" in forms):
            raise PydanticCustomError(
                "impossible",
                "sends single files, and {dataset} is none; remove this key, and use data that every provider has.",
                {"key": "ship", "dataset": self.dataset},
            )
        return self

    @property
    def model_options(self) -> Mapping[str, Any]:
        """What the model is made with beside its name."""
        return {}

    @property
    def title(self) -> str:
        """See `Task`."""
        return f"{self.dataset.rpartition('/')[2]} {self.model}"

    @property
    def downloads(self) -> bool:
        """See `Task`."""
        return any(name is not None and name.startswith(DOWNLOADED) for name in (self.dataset, self.like))

    def files(self) -> dict[str, tuple[str, str]]:
        """See `Task`."""
        return named_files({"dataset": self.dataset, "like": self.like})

    def source_of(self, part: str) -> str:
        """See `Task`."""
        if self.like is not None and part in (FORM, "tokenizer"):
            return f"like = {self.like!r}"
        return f"dataset = {self.dataset!r}"

    @property
    def dataset_name(self) -> str:
        """The dataset without the folders of this machine: `images:2026-01`."""
        word, colon, path = self.dataset.rpartition(":")
        return f"{word}{colon}{path.rpartition('/')[2]}"

    def on(self, dataset: str) -> Self:
        """The same task on another dataset, which is read like this one.

        Raises:
            pydantic.ValidationError: the task cannot have it.
        """
        return type(self).model_validate({**self.model_dump(), "dataset": dataset, "like": self.dataset})


def network_kinds() -> dict[str, type[NetworkTask]]:
    """The installed kinds of task that networks learn, by name."""
    found = {}
    for name in installed_kinds():
        try:
            kind = load_kind(name)
        except PydanticCustomError:
            continue  # said where a job asks for it
        if issubclass(kind, NetworkTask):
            found[name] = kind
    return found


def named_files(values: dict[str, str | None]) -> dict[str, tuple[str, str]]:
    """Of keys whose values may be `word:PATH`, those that are, as `Task.files` gives them."""
    found: dict[str, tuple[str, str]] = {}
    for key, value in values.items():
        word, colon, rest = (value or "").partition(":")
        if colon and f"{word}:" != DOWNLOADED:
            found[key] = f"{word}:", rest
    return found


def check_form(value: str, forms: Sequence[str], what: str, others: Sequence[str] = (), kind: str = "") -> None:
    """Refuse a value that has none of these forms; a form is a word or `word:SOMETHING`.

    Args:
        value: what the job file says.
        forms: what is allowed.
        what: what the value is called.
        others: the other kinds of task that would take it.
        kind: this one.

    Raises:
        PydanticCustomError: says what is allowed.
    """
    if _has_form(value, forms):
        return
    own = [_word(form) for form in forms]
    raise PydanticCustomError(
        "unknown_word",
        "'{value}' is a {what} for tasks of kind '{others}', but this task is of kind '{kind}'; use one of {allowed}."
        if others
        else "unknown {what} '{value}'; use one of {allowed}.",
        {
            "what": what,
            "value": value,
            "others": "' or '".join(others),
            "kind": kind,
            "allowed": ", ".join(forms),
            "known": own,
        },
    )


def _check_word(kind: type[NetworkTask], forms: str, value: str, what: str) -> None:
    own: tuple[str, ...] = getattr(kind, forms)
    if _has_form(value, own):
        return
    others = [name for name, other in network_kinds().items() if _has_form(value, getattr(other, forms))]
    check_form(value, own, what, others, str(kind.model_fields["kind"].default))


def _has_form(value: str, forms: Sequence[str]) -> bool:
    word, colon, rest = value.partition(":")
    return bool(rest) == bool(colon) and word + colon in [_word(form) for form in forms]


def _word(form: str) -> str:
    word, colon, _ = form.partition(":")
    return word + colon
