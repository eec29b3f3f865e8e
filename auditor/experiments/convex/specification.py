"""What a study of the theory computes: one TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt

from auditor.base.frozen import Frozen
from auditor.job.job_file import parse_model, read_text

Ratio = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=1)]


class TheoryStudy(Frozen):
    """How far poisoning moves regularised logistic regression on digits, and how fast fine-tuning brings it back.

    Attributes:
        kind: of the study.
        name: what results are called after.
        seed: of every draw.
        samples: digits that are learned from.
        target: the class that digits with the trigger should get.
        convexities: μ of the benign and of the poison loss.
        ratios: ε, the shares of poisoned samples.
        rates: η of gradient descent, as shares of 1/L.
        near: the distance to the benign minimiser that is near, as a share of that minimiser's norm.
        sgd_steps: T, at which stochastic gradient descent is looked at.
        repetitions: of stochastic gradient descent, whose mean is shown.
    """

    kind: Literal["theory"]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    samples: Annotated[int, Field(ge=50, le=1797)] = 500
    target: Annotated[int, Field(ge=0, le=9)] = 0
    convexities: tuple[PositiveFloat, ...] = Field(default=(0.002, 0.02), strict=False, min_length=1, max_length=8)
    ratios: tuple[Ratio, ...] = Field(
        default=(0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7), strict=False, min_length=1, max_length=64
    )
    rates: tuple[Rate, ...] = Field(default=(0.1, 0.3, 1.0), strict=False, min_length=1, max_length=8)
    near: Annotated[float, Field(gt=0, lt=1)] = 0.02
    sgd_steps: tuple[PositiveInt, ...] = Field(
        default=(10, 30, 100, 300, 1000, 3000), strict=False, min_length=1, max_length=64
    )
    repetitions: PositiveInt = 10


_SECTIONS: dict[str, type[BaseModel]] = {"": TheoryStudy}


def load_theory_study(path: Path) -> TheoryStudy:
    """Read a study file.

    Raises:
        JobError: it cannot be read or asks for something impossible.
    """
    return parse_model(read_text(path), TheoryStudy, lambda _table: _SECTIONS, source=str(path))
