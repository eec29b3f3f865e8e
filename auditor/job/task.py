"""What is learned: a dataset and a model, of one kind of task."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.errors import nearest
from auditor.job.frozen import Frozen

DATASETS = {
    "vision": ("digits", "tensors:PATH", "images:PATH", "torchvision:NAME"),
    "text": ("reviews", "tsv:PATH"),
}
"""What each kind of task can be learned from."""

MODELS = {
    "vision": ("resnet8", "resnet9", "resnet20", "torchvision:NAME"),
    "text": ("transformer", "embeddings"),
}
"""What each kind of task can be learned by; the first is the default."""


class Task(Frozen):
    """What is learned: a dataset and a model."""

    kind: Literal["vision", "text"] = "vision"
    dataset: str
    model: str = MODELS["vision"][0]
    held_out: str | None = Field(
        default=None, description="text: the samples that models are tested on; a tenth of `dataset` if not given"
    )
    tokenizer: str | None = Field(
        default=None, description="text: a file of the library `tokenizers`; made from the training text if not given"
    )
    vocabulary_size: Annotated[int, Field(ge=300, le=1_000_000)] | None = Field(
        default=None, description="text: the maximum number of tokens of the tokenizer that is made; default 8,000"
    )
    max_length: Annotated[int, Field(ge=2, le=4096)] | None = Field(
        default=None, description="text: tokens that are read of each sentence, the rest is cut off; default 64"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_model(cls, data: Any) -> Any:
        if isinstance(data, dict) and "model" not in data:
            return {**data, "model": MODELS.get(str(data.get("kind")), MODELS["vision"])[0]}
        return data

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, value: str, info: ValidationInfo) -> str:
        _check_word(value, DATASETS, info.data.get("kind"), "dataset")
        if not value.startswith("torchvision:"):
            _check_path(value)
        return value

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str, info: ValidationInfo) -> str:
        _check_word(value, MODELS, info.data.get("kind"), "model")
        return value

    @field_validator("held_out")
    @classmethod
    def _known_held_out(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or (dataset := info.data.get("dataset")) is None:
            return value
        if not dataset.startswith("tsv:"):
            raise PydanticCustomError(
                "unknown_word", "goes with dataset = 'tsv:PATH'; {dataset} has its own.", {"dataset": dataset}
            )
        _check_word(value, {"text": ("tsv:PATH",)}, "text", "held-out part")
        _check_path(value)
        return value

    @field_validator("tokenizer")
    @classmethod
    def _tokenizer_is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            _check_path(value)
        return value

    @model_validator(mode="after")
    def _possible(self) -> Self:
        given = [
            key for key in ("held_out", "tokenizer", "vocabulary_size", "max_length") if getattr(self, key) is not None
        ]
        if given and self.kind != "text":
            raise PydanticCustomError(
                "impossible",
                "is a key of text tasks; remove it, or set kind = 'text'.",
                {"key": given[0]},
            )
        if self.tokenizer is not None and self.vocabulary_size is not None:
            raise PydanticCustomError(
                "impossible", "a given tokenizer already has a size; remove one of the two keys.", {"key": given[-1]}
            )
        return self

    def relative_to(self, folder: Path) -> Task:
        """The same task with its paths resolved against `folder`, where the job file lies."""
        resolved = {}
        for key in ("dataset", "held_out"):
            kind, colon, rest = (getattr(self, key) or "").partition(":")
            if colon and kind != "torchvision":
                resolved[key] = f"{kind}:{_resolved(rest, folder)}"
        if self.tokenizer is not None:
            resolved["tokenizer"] = str(_resolved(self.tokenizer, folder))
        return self.model_copy(update=resolved)


def _check_word(value: str, known: Mapping[str, Sequence[str]], kind: str | None, what: str) -> None:
    """Refuse a value that has none of the forms known for its kind of task; a form is a word or `word:SOMETHING`."""
    if kind is None or _has_form(value, known[kind]):  # without a kind there is an error already
        return
    own, every = ([_word(form) for form in forms] for forms in (known[kind], itertools.chain(*known.values())))
    others = [name for name, forms in known.items() if _has_form(value, forms)]
    raise PydanticCustomError(
        "unknown_word",
        "'{value}' is a {what} for tasks of kind '{others}', but this task is of kind '{kind}'; use one of {allowed}."
        if others
        else "unknown {what} '{value}'; use one of {allowed}.",
        {
            "what": what,
            "value": value,
            "others": "' and '".join(others),
            "kind": kind,
            "allowed": ", ".join(known[kind]),
            "known": own if others or nearest(value, own) else every,
        },
    )


def _has_form(value: str, forms: Sequence[str]) -> bool:
    word, colon, rest = value.partition(":")
    return bool(rest) == bool(colon) and word + colon in [_word(form) for form in forms]


def _word(form: str) -> str:
    word, colon, _ = form.partition(":")
    return word + colon


def _check_path(value: str) -> None:
    """Refuse a value whose path, after the first colon if it has one, cannot be one on this machine."""
    if not value.strip():
        raise PydanticCustomError("unknown_word", "is empty; give the path of a file, or remove the key.", {})
    try:
        Path(value.partition(":")[2] or value).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise PydanticCustomError(
            "unknown_word", "{value} is not a path: {error}", {"value": repr(value), "error": str(error)}
        ) from None


def _resolved(path: str, folder: Path) -> Path:
    return (folder / Path(path).expanduser()).resolve()
