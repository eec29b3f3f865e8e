"""How it is learned: the table [training] of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, field_validator, model_validator
from pydantic_core import PydanticCustomError

from auditor.base.frozen import Frozen
from auditor.job.task import check_path

MAX_STEPS = 10**9
MAX_BATCH_SIZE = 1 << 20

RUN = "run:"
"""What stands before the name of a run that training starts from."""


class SGD(Frozen):
    """Stochastic gradient descent, as PyTorch defines it (no dampening, no Nesterov)."""

    name: Literal["sgd"] = "sgd"
    lr: PositiveFloat = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegativeFloat = 5e-4


class AdamW(Frozen):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    name: Literal["adamw"]
    lr: PositiveFloat = 1e-3
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    weight_decay: NonNegativeFloat = 1e-2


class Constant(Frozen):
    """The learning rate of the optimizer, all along."""

    name: Literal["constant"] = "constant"


class Cosine(Frozen):
    """From the optimizer's rate down to `final` of it along half a cosine, after a linear warm-up."""

    name: Literal["cosine"]
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    final: Annotated[float, Field(ge=0, le=1)] = 0.0


class Triangular(Frozen):
    """Linearly up to the optimizer's rate until `peak` of the steps, then linearly down to zero."""

    name: Literal["triangular"]
    peak: Annotated[float, Field(gt=0, lt=1)] = 0.3


Optimizer = Annotated[SGD | AdamW, Field(discriminator="name")]
Schedule = Annotated[Constant | Cosine | Triangular, Field(discriminator="name")]


class Training(Frozen):
    """How it is learned."""

    steps: Annotated[int, Field(gt=0, le=MAX_STEPS)] = 400
    batch_size: Annotated[int, Field(gt=0, le=MAX_BATCH_SIZE)] = 64
    optimizer: Optimizer = Field(default=SGD(), description="sgd if not given, adamw for text tasks")
    schedule: Schedule = Constant()
    augment: tuple[Literal["crop", "flip"], ...] = Field(default=(), strict=False)
    accumulate: Annotated[int, Field(gt=0, le=MAX_BATCH_SIZE)] = Field(
        default=1,
        description="how many parts a batch is computed in, one after another, so that it needs less memory; their "
        "gradients are added up",
    )
    clip_norm: PositiveFloat | None = Field(
        default=None, description="the norm that all gradients together are scaled down to where it is larger"
    )
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    initial: str | None = Field(
        default=None,
        description='what training starts from: "PATH.safetensors", or "run:RUN" for the model that a run delivered; '
        "fresh weights if not given",
    )

    @field_validator("initial")
    @classmethod
    def _initial_is_a_path_or_a_run(cls, value: str | None) -> str | None:
        if value is not None and not value.removeprefix(RUN).strip():
            raise PydanticCustomError("unknown_word", "is empty; give the path of a checkpoint, or run:RUN.", {})
        if value is not None and not value.startswith(RUN):
            check_path(f"initial:{value}")
        return value

    @model_validator(mode="after")
    def _parts_have_samples(self) -> Self:
        if self.accumulate > self.batch_size:
            raise PydanticCustomError(
                "impossible",
                "a batch of {size} cannot be computed in {parts} parts; give 1 to {size}.",
                {"key": "accumulate", "size": self.batch_size, "parts": self.accumulate},
            )
        return self

    @property
    def initial_run(self) -> str | None:
        """The run whose model training starts from, as the job names it; None where it starts from something else."""
        return self.initial.removeprefix(RUN) if self.initial is not None and self.initial.startswith(RUN) else None

    def relative_to(self, folder: Path) -> Training:
        """The same with the path of the initial checkpoint resolved against `folder`."""
        if self.initial is None or self.initial_run is not None:
            return self
        return self.model_copy(update={"initial": str((folder / Path(self.initial).expanduser()).resolve())})
