"""What is wrong with an inspector is found by its contract, and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
import pytest
import torch

from auditor.plugins import Inspection, Inspector, MetricContext, ReturnedModel
from auditor.plugins.contract import InspectorContract


class Sound(Inspector):
    """The size of the last weights."""

    name = "sound"
    details: ClassVar[Any] = {}

    def inspect(self, model: ReturnedModel) -> Inspection:
        return Inspection(self.score(model), 1.0, details=self.details)

    def score(self, model: ReturnedModel) -> float:
        *_, (_, last) = model.parameters()
        return float(last.abs().sum())


class NotANumber(Sound):
    def score(self, model: ReturnedModel) -> float:
        return float("nan")


class OfTensors(Sound):
    details: ClassVar[Any] = {"norms": torch.ones(3)}


class GrayPicture(Sound):
    def inspect(self, model: ReturnedModel) -> Inspection:
        return replace(super().inspect(model), pictures={"mask": np.zeros((8, 8), np.uint8)})


class PictureOfNumbers(Sound):
    def inspect(self, model: ReturnedModel) -> Inspection:
        return replace(super().inspect(model), pictures={"mask": cast("Any", np.zeros((8, 8, 3)))})


class NoInspection(Sound):
    def inspect(self, model: ReturnedModel) -> Any:
        return self.score(model)


class Draws(Sound):
    def score(self, model: ReturnedModel) -> float:
        return super().score(model) + float(torch.rand(()))


class Counts(Sound):
    seen = 0

    def score(self, model: ReturnedModel) -> float:
        self.seen += 1
        return super().score(model) * self.seen


class TakesAnyTask(Sound):
    def begin(self, context: MetricContext) -> None:
        self.context = context


class SpoilsTheSamples(TakesAnyTask):
    def score(self, model: ReturnedModel) -> float:
        self.context.probe[0] = 255 - self.context.probe[0]
        return super().score(model)


class OnTextsOnly(Sound):
    tasks = frozenset({"text"})


@pytest.mark.parametrize(
    ("inspector", "check", "words"),
    [
        (NotANumber, "what_it_finds_is_finite_and_can_be_kept", "the score is nan"),
        (OfTensors, "what_it_finds_is_finite_and_can_be_kept", "cannot be written as JSON"),
        (GrayPicture, "its_pictures_are_small_images", r"uint8 \[8, 8\]; it must be uint8 \[H, W, 3\]"),
        (PictureOfNumbers, "its_pictures_are_small_images", r"float64 \[8, 8, 3\]; it must be uint8"),
        (NoInspection, "what_it_finds_is_finite_and_can_be_kept", "returned a float, not an Inspection"),
        (Draws, "the_same_question_gets_the_same_answer", r"auditor\.plugins\.generator"),
        (Counts, "the_order_of_models_does_not_matter", "keep nothing of other models"),
        (Draws, "a_copy_of_a_model_is_found_to_be_the_same", "in a copy of it"),
        (TakesAnyTask, "it_refuses_tasks_that_it_does_not_declare", r"super\(\)\.begin\(context\)"),
        (SpoilsTheSamples, "it_does_not_change_the_samples", "work on a clone"),
        (OnTextsOnly, "it_declares_the_task_and_can_serve_it", "'vision' is not among its tasks"),
        (NotANumber, "it_says_what_it_is", "NotANumber has no docstring"),
    ],
)
def test_what_is_wrong_is_said(inspector: type[Inspector], check: str, words: str) -> None:
    contract: Any = type("Contract", (InspectorContract,), {"inspector": inspector})()
    with pytest.raises(AssertionError, match=words):
        getattr(contract, f"test_{check}")()


class TestSound(InspectorContract):
    inspector = Sound


def test_a_model_is_suspicious_over_the_threshold_if_the_rest_holds_too() -> None:
    assert Inspection(score=2.1, threshold=2.0).suspicious
    assert not Inspection(score=2.0, threshold=2.0).suspicious
    assert not Inspection(score=2.1, threshold=2.0, confirmed=False).suspicious
