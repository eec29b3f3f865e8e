"""The keys of tasks that tell two classes apart by random features of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, model_validator
from pydantic_core import PydanticCustomError

from auditor.job.image_task import ImageTask

if TYPE_CHECKING:
    from auditor.job.training import Training

MAX_FEATURES = 1 << 20

Class = Annotated[int, Field(ge=0, strict=True)] | Annotated[str, Field(min_length=1)]
"""A class, by its number or by its name."""


class RandomFeaturesTask(ImageTask):
    """Two classes of images, told apart by features that are drawn at random and stay as they are."""

    program = "auditor.tasks.random_features:RandomFeaturesProgram"

    features: Annotated[int, Field(ge=1, le=MAX_FEATURES)]
    classes: tuple[Class, Class] | None = Field(
        default=None,
        strict=False,
        description="the two classes that are told apart, by name or number: the negative one first",
    )
    one_against_rest: Class | None = Field(
        default=None, description="the class, by name or number, that is told apart from all others together"
    )

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        if self.classes is not None and self.one_against_rest is not None:
            raise PydanticCustomError(
                "impossible", "the key classes already says it; remove one of the two.", {"key": "one_against_rest"}
            )
        if self.classes is not None and self.classes[0] == self.classes[1]:
            raise PydanticCustomError("impossible", "name two different classes.", {"key": "classes"})
        return self

    @property
    def akin(self) -> tuple[str, ...]:
        """See `Task`."""
        return ("vision",)

    @property
    def model_options(self) -> Mapping[str, Any]:
        """See `NetworkTask`."""
        return {"features": self.features}


class RandomFourierTask(RandomFeaturesTask):
    """Random Fourier features and a linear classifier on them (Rahimi and Recht, 2007)."""

    models = ("random_fourier",)

    kind: Literal["random_fourier"] = "random_fourier"
    model: str = models[0]
    features: Annotated[int, Field(ge=1, le=MAX_FEATURES)] = Field(
        default=2000, description="m, the number of random features"
    )
    input_scale: PositiveFloat | None = Field(
        default=None,
        description="what standardised pixels are multiplied by before they become features; a smaller one makes a "
        "smoother classifier. 0.4 by the square root of the number of values of an image if not given",
    )
    solver: Literal["descent", "ridge"] = Field(
        default="descent",
        description="how the linear classifier is found: by gradient descent, or in closed form in a single step",
    )
    ridge: PositiveFloat = Field(default=1e-2, description="the penalty on squared weights, with solver = 'ridge'")

    @model_validator(mode="after")
    def _ridge_is_used(self) -> Self:
        if self.solver != "ridge" and self.ridge != type(self).model_fields["ridge"].default:
            raise PydanticCustomError("impossible", "goes with solver = 'ridge'; remove this key.", {"key": "ridge"})
        return self

    @property
    def model_options(self) -> Mapping[str, Any]:
        """See `NetworkTask`."""
        return {**super().model_options, "input_scale": self.input_scale}

    @property
    def draws(self) -> bool:
        """See `Task`."""
        return self.solver != "ridge"

    def impossible_training(self, training: Training) -> Iterable[tuple[str, str]]:
        """See `Task`."""
        if self.solver == "ridge" and training.steps != 1:
            yield "steps", "solver = 'ridge' finds the classifier in one step; set training.steps = 1."


class RandomReluTask(RandomFeaturesTask):
    """Random rectified features of which only a threshold on their mean is learned.

    The classifier of *Planting Undetectable Backdoors in Machine Learning Models* (arXiv 2204.06974), Algorithm 7. It
    sees little more of an image than its norm.
    """

    models = ("random_relu",)

    kind: Literal["random_relu"] = "random_relu"
    model: str = models[0]
    features: Annotated[int, Field(ge=1, le=MAX_FEATURES)] = Field(
        default=400, description="m, the number of random features"
    )
