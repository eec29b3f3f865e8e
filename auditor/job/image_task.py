"""The keys that all tasks on images have."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.image_options import MAX_SIDE, Background, Channels, ImageOptions
from auditor.job.network_task import NetworkTask, check_form, named_files
from auditor.job.task import check_path

Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]


class ImageTask(NetworkTask):
    """Labelled images, and where they come from."""

    survey = "auditor.tasks.data.survey:survey_images"
    datasets = ("digits", "tensors:PATH", "images:PATH", "torchvision:NAME")

    held_out: str | None = Field(
        default=None,
        description="the images that models are tested on, as `images:PATH`, for a dataset of that form; without it, a "
        "folder `val` or `test` beside `train`, or a tenth of the images",
    )
    channels: Channels = Field(
        default="auto",
        description="`gray` reads one channel and `rgb` three; `auto` reads three if any image has colours",
    )
    background: Background = Field(default="white", description="the colour behind transparent pixels")
    value_range: tuple[float, float] | None = Field(
        default=None,
        strict=False,
        description="the values that are black and white in images of 16 bits or floating-point numbers, such as "
        "`[0, 65535]`; without it such images are refused",
    )
    size: tuple[Side, Side] | None = Field(
        default=None,
        strict=False,
        description="the height and width in pixels that images are resized to; without it, images that differ in size "
        "are refused",
    )

    @property
    def image_options(self) -> ImageOptions:
        """How images become pixels."""
        return ImageOptions(
            channels=self.channels, background=self.background, value_range=self.value_range, size=self.size
        )

    def files(self) -> dict[str, tuple[str, str]]:
        """See `Task`."""
        return super().files() | named_files({"held_out": self.held_out})

    def source_of(self, part: str) -> str:
        """See `Task`."""
        if part == "held-out part" and self.held_out is not None:
            return f"held_out = {self.held_out!r}"
        return super().source_of(part)

    @field_validator("held_out")
    @classmethod
    def _known_held_out(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or (dataset := info.data.get("dataset")) is None:
            return value
        if not dataset.startswith("images:"):
            raise PydanticCustomError(
                "unknown_word", "goes with dataset = 'images:PATH'; {dataset} has its own.", {"dataset": dataset}
            )
        check_form(value, ("images:PATH",), "held-out part")
        check_path(value)
        return value

    @field_validator("value_range")
    @classmethod
    def _range_rises(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] >= value[1]:
            raise PydanticCustomError("unknown_word", "must rise: give the value of black first, then white.", {})
        return value

    @model_validator(mode="after")
    def _options_are_used(self) -> Self:
        given: dict[str, Any] = {key: getattr(self, key) for key in ("channels", "background", "value_range", "size")}
        changed = [key for key, value in given.items() if value != type(self).model_fields[key].default]
        if changed and not self.dataset.startswith(("images:", "torchvision:")):
            raise PydanticCustomError(
                "impossible",
                "goes with dataset = 'images:PATH' or 'torchvision:NAME'; {dataset} is taken as it is.",
                {"key": changed[0], "dataset": self.dataset},
            )
        return self
