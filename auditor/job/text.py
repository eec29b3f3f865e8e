"""The keys of a task that classifies sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.network_task import NetworkTask, check_form, named_files
from auditor.job.task import check_path

TABLES = ("tsv:PATH", "csv:PATH", "jsonl:PATH")
"""The forms of a file with a text and a label in each row."""

Column = Annotated[int, Field(ge=0, strict=True)] | Annotated[str, Field(min_length=1)]
"""A column, by the name in the header or by its number from 0."""


class TextTask(NetworkTask):
    """Sentences and a model that classifies them."""

    program = "auditor.tasks.text:TextProgram"
    survey = "auditor.tasks.data.survey:survey_texts"
    # Embeddings see few of a batch's gradients each, which Adam makes up for and plain descent does not.
    training_defaults: ClassVar[Mapping[str, Any]] = {"optimizer": {"name": "adamw"}}
    datasets = ("reviews", *TABLES)
    models = ("transformer", "embeddings")

    kind: Literal["text"] = "text"
    model: str = models[0]
    held_out: str | None = Field(
        default=None, description="the samples that models are tested on; a tenth of `dataset` if not given"
    )
    text_column: Column | None = Field(
        default=None, description="the column of texts: its name in the header, or its number from 0"
    )
    label_column: Column | None = Field(
        default=None, description="the column of labels: its name in the header, or its number from 0"
    )
    tokenizer: str | None = Field(
        default=None, description="a file of the library `tokenizers`; made from the training text if not given"
    )
    vocabulary_size: Annotated[int, Field(ge=300, le=1_000_000)] | None = Field(
        default=None, description="the most tokens in the tokenizer that is made; 8,000 if not given"
    )
    max_length: Annotated[int, Field(ge=2, le=4096)] | None = Field(
        default=None, description="how many tokens of a sentence are read, 64 if not given; the rest is cut off"
    )

    @field_validator("held_out")
    @classmethod
    def _known_held_out(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or (dataset := info.data.get("dataset")) is None:
            return value
        if dataset == "reviews":
            raise PydanticCustomError(
                "unknown_word",
                "goes with a dataset that is a file; {dataset} has its own.",
                {"dataset": dataset},
            )
        check_form(value, TABLES, "held-out part")
        check_path(value)
        return value

    @field_validator("tokenizer")
    @classmethod
    def _tokenizer_is_a_path(cls, value: str | None) -> str | None:
        if value is not None:
            check_path(value)
        return value

    @model_validator(mode="after")
    def _columns_are_of_a_file(self) -> Self:
        if self.dataset == "reviews" and (self.text_column, self.label_column) != (None, None):
            key = "text_column" if self.text_column is not None else "label_column"
            raise PydanticCustomError("impossible", "goes with a file; 'reviews' has no columns.", {"key": key})
        return self

    @model_validator(mode="after")
    def _one_tokenizer(self) -> Self:
        if self.tokenizer is not None and self.vocabulary_size is not None:
            raise PydanticCustomError(
                "impossible",
                "a given tokenizer already has a size; remove one of the two keys.",
                {"key": "vocabulary_size"},
            )
        return self

    def files(self) -> dict[str, tuple[str, str]]:
        """See `Task`."""
        found = super().files() | named_files({"held_out": self.held_out})
        return found if self.tokenizer is None else found | {"tokenizer": ("", self.tokenizer)}

    def source_of(self, part: str) -> str:
        """See `Task`."""
        if part == "tokenizer" and self.tokenizer is not None:
            return f"tokenizer = {self.tokenizer!r}"
        if part == "held-out part" and self.held_out is not None:
            return f"held_out = {self.held_out!r}"
        return super().source_of(part)
